// Decides what holds on several nodes that are well: tokens, one round trip, lists, foreign clients, many at once.
#include "engines/redlock/nodes_test.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace leasehold::test {
namespace {

using redlock_nodes = redlock_test;

TEST_F(redlock_nodes, nodes_that_differ_are_written_back_to) {
  start(3);
  auto const ahead = std::to_string(4'000'000'000'000'000);
  ASSERT_EQ(ask(1, {"HSET", "lh:node", "floor", ahead, "top", ahead}), "0");
  servers_[2]->kill();
  auto const held = client().acquire("x", {.ttl = 2s});
  EXPECT_EQ(held.token(), 4'000'000'000'000'001U);
  auto const mark = "&t=" + std::to_string(held.token());
  for (auto const i : {0U, 1U}) EXPECT_NE(ask(i, {"HGET", "lh:held", "x"}).find(mark), std::string::npos);
}

TEST_F(redlock_nodes, an_uncontended_lock_takes_one_round_trip) {
  start();
  auto const a = client();
  a.acquire("x", {.ttl = 1s}).release();
  for (std::size_t i = 0; i < servers_.size(); ++i) ask(i, {"CONFIG", "RESETSTAT"});
  constexpr int pairs = 100;
  for (int i = 0; i < pairs; ++i) a.acquire("n" + std::to_string(i % 7), {.ttl = 1s}).release();
  std::vector<std::uint64_t> tokens;
  for (std::size_t i = 0; i < servers_.size(); ++i) {
    auto const stats = ask(i, {"INFO", "commandstats"});
    auto const calls = [&](std::string const& what) {
      auto const at = stats.find("cmdstat_" + what + ":calls=");
      return at == std::string::npos ? 0 : std::atoi(stats.c_str() + at + what.size() + 15);
    };
    EXPECT_LE(calls("fcall") + calls("evalsha") + calls("eval"), 2 * pairs + 2) << "more than to ask and to release";
  }
}

TEST_F(redlock_nodes, the_order_of_the_list_does_not_matter_and_another_list_is_refused) {
  start(5);
  auto const reversed = [&] {
    std::string out = "redlock:?max_ttl=2s";
    for (auto s = servers_.rbegin(); s != servers_.rend(); ++s) out += node_at((*s)->socket());
    return out;
  }();
  auto const held = client().acquire("x", {.ttl = 1s});
  EXPECT_FALSE(open(reversed).try_acquire("x", {.ttl = 1s}));
  std::string fewer = "redlock:?max_ttl=2s";
  for (std::size_t i = 0; i < 3; ++i) fewer += node_at(servers_[i]->socket());
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(fewer, {}, ec, &why));
  EXPECT_EQ(ec, errc::misconfigured);
  EXPECT_NE(why.message().find("another list"), std::string_view::npos) << why.message();
  EXPECT_EQ(try_error(open(fewer + "&lazy=1"), "y"), errc::misconfigured);
}

TEST_F(redlock_nodes, one_server_behind_two_addresses_is_refused) {
  auto const port = std::to_string(free_port());
  servers_.push_back(std::make_unique<redis_server>(std::vector<std::string>{"--port", port}));
  servers_.push_back(std::make_unique<redis_server>());
  auto const twice = url() + "&node=redis://127.0.0.1:" + port;
  EXPECT_EQ(initialize(twice, std::nothrow).error(), errc::misconfigured);
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(twice, {}, ec, &why));
  EXPECT_EQ(ec, errc::misconfigured);
  EXPECT_NE(why.message().find("one server"), std::string_view::npos) << why.message();
}

TEST_F(redlock_nodes, a_fresh_list_says_what_to_type) {
  for (int i = 0; i < 3; ++i) servers_.push_back(std::make_unique<redis_server>());
  auto const tried = client().try_acquire("x", {.ttl = 1s}, std::nothrow);
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error(), errc::misconfigured);
  EXPECT_NE(tried.get_failure().details.hint().find("leasehold init"), std::string_view::npos);
}

TEST_F(redlock_nodes, URL_errors_name_the_part) {
  auto const code = [](std::string const& text) {
    std::error_code ec;
    static_cast<void>(open(text, {}, ec));
    return ec;
  };
  EXPECT_EQ(code("redlock://a,b"), errc::bad_option);
  EXPECT_EQ(code("redlock://a,b,a:6379"), errc::bad_option);
  EXPECT_EQ(code("redlock://a,b,c?node=redis://d"), errc::bad_option);
  EXPECT_EQ(code("redlock:?node=redis://a&node=redis://b&node=local:"), errc::bad_option);
  EXPECT_EQ(code("redlock://a,b,c?safety=best"), errc::bad_option);
  EXPECT_EQ(code("redlock:?node=redis://a%3Fsafety=best&node=redis://b&node=redis://c"), errc::bad_option);
  EXPECT_EQ(code("redlock://a,b,c?max_ttl=1ms"), errc::bad_option);
}

TEST_F(redlock_nodes, a_foreign_client_on_a_majority_excludes_and_is_excluded) {
  start(3);
  auto const a = client();
  for (auto const i : {0U, 1U}) ASSERT_EQ(ask(i, {"SET", "x", "theirs", "NX", "PX", "60000"}), "OK");
  auto const tried = a.try_acquire("x", {.ttl = 1s});
  EXPECT_FALSE(tried);
  ASSERT_NE(tried.holder(), nullptr);
  EXPECT_TRUE(tried.holder()->foreign);
  EXPECT_EQ(ask(2, {"EXISTS", "x"}), "0") << "the loser released what it had got";
  for (auto const i : {0U, 1U}) ask(i, {"DEL", "x"});
  auto const held = a.acquire("x", {.ttl = 2s});
  int theirs = 0;
  for (auto const i : {0U, 1U, 2U}) theirs += ask(i, {"SET", "x", "theirs", "NX", "PX", "1000"}) == "OK" ? 1 : 0;
  EXPECT_LT(theirs, 2);
}

TEST_F(redlock_nodes, WAIT_8_fifty_clients_that_split_the_vote_make_progress) {
  start(5);
  constexpr int clients = 50;
  std::vector<store> stores;
  for (int i = 0; i < clients; ++i) stores.push_back(open(url() + "&lazy=1"));
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> served = 0;
  std::vector<std::thread> all;
  auto const from = clock::now();
  std::vector<time_point> grants(clients);
  for (auto const& s : stores) {
    all.emplace_back([&] {
      auto lease = s.acquire("x", {.ttl = 2s, .wait = 60s});
      most = std::max(most.load(), ++inside);
      grants[static_cast<std::size_t>(served)] = clock::now();
      ++served;
      --inside;
      lease.release();
    });
  }
  for (auto& t : all) t.join();
  EXPECT_EQ(served, clients);
  EXPECT_EQ(most, 1);
  EXPECT_LT(clock::now() - from, 30s) << "well below a second for each";
  duration longest{};
  for (std::size_t i = 0; i < grants.size(); ++i)
    longest = std::max(longest, grants[i] - (i == 0 ? from : grants[i - 1]));
  EXPECT_LT(longest, 3s) << "without any grant";
}

TEST_F(redlock_nodes, the_doctor_finds_one_server_behind_two_addresses_and_another_list) {
  auto const port = std::to_string(free_port());
  servers_.push_back(std::make_unique<redis_server>(std::vector<std::string>{"--port", port}));
  servers_.push_back(std::make_unique<redis_server>());
  auto const found = [](store const& s, std::string_view id, finding::level severity, std::string_view words) {
    auto const all = s.diagnose();
    return std::any_of(all.begin(), all.end(), [&](auto const& f) {
      return f.id == id && f.severity == severity && f.text.find(words) != std::string::npos;
    });
  };
  auto const twice = open(url() + "&node=redis://127.0.0.1:" + port + "&lazy=1");
  EXPECT_TRUE(found(twice, "redlock/independence", finding::level::fail, "are one server"));
  servers_.push_back(std::make_unique<redis_server>());
  initialize(url());
  auto const well = client();
  EXPECT_FALSE(found(well, "redlock/independence", finding::level::fail, ""));
  EXPECT_TRUE(found(well, "redlock/list", finding::level::pass, "3 nodes"));
  auto const other = open(url() + "&list=another&lazy=1");
  EXPECT_TRUE(found(other, "redlock/node", finding::level::fail, "another list"));
  EXPECT_TRUE(found(other, "redlock/majority", finding::level::fail, "0 of 3"));
}

TEST_F(redlock_nodes, the_doctor_tells_who_votes) {
  start(3);
  servers_[1]->kill();
  servers_[1]->start();
  auto const findings = client().diagnose();
  auto const majority =
      std::find_if(findings.begin(), findings.end(), [](auto const& f) { return f.id == "redlock/majority"; });
  ASSERT_NE(majority, findings.end());
  EXPECT_EQ(majority->severity, finding::level::warn);
  EXPECT_NE(majority->text.find("2 of 3"), std::string::npos) << majority->text;
  EXPECT_EQ(std::count_if(findings.begin(), findings.end(), [](auto const& f) { return f.id == "redlock/node"; }), 3);
}

TEST_F(redlock_nodes, a_counter_that_no_majority_has_is_shown_as_no_token) {
  start(3);
  auto const on = client();
  auto const held = on.acquire("x", {.ttl = 2s});
  // As if it were still being granted: each node has another counter.
  for (std::size_t i = 0; i < 3; ++i) {
    ask(i, {"EVAL",
            "local e = redis.call('hget', 'lh:held', 'x') "
            "redis.call('hset', 'lh:held', 'x', (string.gsub(e, '&t=%d+', '&t=' .. ARGV[1])))",
            "0", std::to_string(1000 + i)});
  }
  auto const unsettled = client().inspect("x");
  ASSERT_EQ(unsettled.holders.size(), 1U);
  EXPECT_EQ(unsettled.holders[0].token, std::nullopt);
  EXPECT_FALSE(election(on, "x", {}).leader()) << "its term has not begun";
  ask(0, {"EVAL",
          "return redis.call('hset', 'lh:held', 'x', (string.gsub(redis.call('hget', 'lh:held', 'x'), '&t=%d+', "
          "'&t=1001')))",
          "0"});
  EXPECT_EQ(client().inspect("x").holders[0].token, 1001U);
}

}  // namespace
}  // namespace leasehold::test
