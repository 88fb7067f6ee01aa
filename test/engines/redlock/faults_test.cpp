// Decides what becomes of locks on five nodes when some of them die, freeze, forget, or cannot be reached by everybody.
#include "engines/redlock/nodes_test.hpp"

namespace leasehold::test {
namespace {

using redlock_faults = redlock_test;

TEST_F(redlock_faults, FAIL_1_a_dead_minority_is_not_noticed) {
  start();
  auto const a = client();
  auto const before = a.acquire("x", {.ttl = 2s}).token();
  servers_[0]->kill();
  servers_[3]->kill();
  auto const held = a.acquire("x", {.ttl = 1s});
  EXPECT_GT(held.token(), before);
  EXPECT_FALSE(client().try_acquire("x", {.ttl = 1s})) << "a store may be opened without them, too";
  auto const first = held.deadline();
  EXPECT_TRUE(eventually([&] { return held.deadline() > first; })) << "and renewed";
}

TEST_F(redlock_faults, FAIL_1_without_a_majority_nothing_is_granted_and_the_error_says_so) {
  start();
  auto const a = client();
  auto const token = a.acquire("x", {.ttl = 1s}).token();
  for (auto const i : {0U, 2U, 4U}) servers_[i]->kill();
  auto const tried = a.try_acquire("x", {.ttl = 1s}, std::nothrow);
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error(), errc::unavailable);
  EXPECT_NE(tried.get_failure().details.message().find("2 of 5"), std::string_view::npos);
  for (auto const i : {0U, 2U, 4U}) servers_[i]->start();
  EXPECT_TRUE(eventually([&] { return try_error(a, "x") == errc::misconfigured; })) << "three have forgotten";
  initialize(url());
  EXPECT_GT(a.acquire("x", {.ttl = 1s}).token(), token);
}

TEST_F(redlock_faults, a_frozen_minority_costs_nothing_and_what_it_does_late_harms_nobody) {
  start();
  auto const a = client();
  a.acquire("x", {.ttl = 2s}).release();
  pause({1, 2});
  auto const from = clock::now();
  auto held = a.acquire("x", {.ttl = 2s, .renew = renewal::manual});
  EXPECT_LT(clock::now() - from, 250ms);
  std::error_code ec;
  held.release(ec);
  EXPECT_FALSE(ec) << ec.message();
  auto const next = client().acquire("x", {.ttl = 2s, .renew = renewal::manual});
  resume({1, 2});
  auto const theirs = ask(0, {"GET", "x"});
  auto const is_quiet = [&](std::size_t node) {
    auto const there = ask(node, {"GET", "x"});
    return there == "(nil)" || there == theirs;
  };
  EXPECT_TRUE(eventually([&] { return is_quiet(1) && is_quiet(2); }, 1s)) << "what was granted late is released";
  EXPECT_EQ(ask(0, {"GET", "x"}), theirs);
  EXPECT_TRUE(next.held());
  EXPECT_GT(next.token(), held.token());
}

TEST_F(redlock_faults, a_frozen_majority_ends_a_lease_at_its_deadline_and_lets_go_when_thawed) {
  start();
  auto const a = client();
  auto const held = a.acquire("x", {.ttl = 800ms});
  pause({0, 1, 2});
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 2s));
  auto const code = try_error(a, "y", {.ttl = 400ms});
  EXPECT_TRUE(code == errc::outcome_unknown || code == errc::unavailable) << code.message();
  resume({0, 1, 2});
  EXPECT_TRUE(client().acquire("x", {.ttl = 1s, .wait = 5s}));
}

TEST_F(redlock_faults, RENEW_3_a_minority_that_renews_moves_no_deadline) {
  start();
  auto held = client().acquire("x", {.ttl = 2s, .renew = renewal::manual});
  pause({0, 1, 2});
  auto const deadline = held.deadline();
  std::error_code ec;
  held.renew(ec);
  EXPECT_TRUE(ec);
  EXPECT_EQ(held.deadline(), deadline);
  resume({0, 1, 2});
  ec.clear();
  held.renew(ec);
  EXPECT_FALSE(ec) << ec.message();
  EXPECT_GT(held.deadline(), deadline);
}

TEST_F(redlock_faults, FAIL_1_a_node_that_comes_back_empty_does_not_vote_before_its_probation_is_over) {
  start(3);
  pause({2});
  auto const held = client().acquire("x", {.ttl = 1500ms, .renew = renewal::manual});  // by the nodes 0 and 1
  servers_[1]->kill();
  servers_[1]->start();
  resume({2});
  auto const b = client();
  // What the paused node was asked to do is done by now, or not at all; let it be free, as if the request had been lost.
  EXPECT_TRUE(eventually([&] { return ask(2, {"DEL", "x"}) == "0"; }));
  EXPECT_FALSE(gets(b, "x")) << "nodes 1 and 2 would be a majority";
  EXPECT_TRUE(held.held());
}

TEST_F(redlock_faults, FAIL_1_a_node_that_forgot_rejoins_with_the_counter_of_a_majority) {
  start();
  auto const a = client();
  auto last = a.acquire("x", {.ttl = 1s}).token();
  servers_[4]->kill();
  servers_[4]->start();
  auto const from = clock::now();
  EXPECT_TRUE(eventually([&] {
    auto const token = a.acquire("x", {.ttl = 1s}).token();
    EXPECT_GT(token, last);
    last = token;
    auto const known = ask(4, {"HGET", "lh:node", "run"});
    return known != "(nil)" && !known.empty() && ask(4, {"HGET", "lh:node", "prob"}) == "(nil)";
  }));
  EXPECT_GT(clock::now() - from, 1900ms) << "it sat out the longest TTL";
  EXPECT_GE(std::stoull(ask(4, {"HGET", "lh:node", "top"})), last - 2);
}

TEST_F(redlock_faults, a_node_counts_again_only_while_a_majority_of_the_others_votes) {
  start(3);
  auto const a = client();
  auto const token = a.acquire("x", {.ttl = 1s}).token();
  for (auto const i : {0U, 1U}) {
    servers_[i]->kill();
    servers_[i]->start();
  }
  auto const tried = [&] { return a.try_acquire("x", {.ttl = 1s}, std::nothrow); };
  EXPECT_TRUE(eventually([&] { return tried().error() == errc::misconfigured; }));
  EXPECT_NE(tried().get_failure().details.hint().find("leasehold init"), std::string_view::npos);
  EXPECT_FALSE(eventually([&] { return tried().has_value(); }, 2500ms)) << "however long one waits";
  initialize(url());
  EXPECT_GT(a.acquire("x", {.ttl = 1s}).token(), token);
}

TEST_F(redlock_faults, an_undecided_vote_does_not_wait_for_nodes_that_have_long_been_silent) {
  start();
  auto const a = client();
  a.acquire("y", {.ttl = 1s}).release();
  pause({1, 2});
  auto const silent_for = clock::now() + 1500ms;
  EXPECT_TRUE(eventually([&] { return gets(a, "y") && clock::now() > silent_for; }));
  ASSERT_EQ(ask(0, {"SET", "x", "left-behind", "PX", "60000"}), "OK");  // two of three can grant, and three are needed
  auto shortest = duration::max();
  for (int i = 0; i < 20; ++i) {
    auto const from = clock::now();
    EXPECT_FALSE(gets(a, "x"));
    shortest = std::min(shortest, clock::now() - from);
  }
  EXPECT_LT(shortest, 15ms) << "what it was granted is in everybody's way for so long";
}

TEST_F(redlock_faults, a_release_that_some_of_its_nodes_do_not_answer_is_no_loss) {
  start();
  for (auto const i : {3U, 4U}) ASSERT_EQ(ask(i, {"SET", "x", "left-behind", "PX", "60000"}), "OK");
  auto held = client().acquire("x", {.ttl = 2s, .renew = renewal::manual});  // by the nodes 0, 1 and 2
  pause({1, 2});
  std::error_code ec;
  held.release(ec);
  EXPECT_FALSE(ec) << ec.message() << ": two say so, and two of its majority have not spoken";
  resume({1, 2});
  EXPECT_TRUE(eventually([&] { return ask(1, {"GET", "x"}) == "(nil)" && ask(2, {"GET", "x"}) == "(nil)"; }, 1s));
}

TEST_F(redlock_faults, a_clients_first_vote_waits_for_nodes_that_have_had_no_time_to_be_silent) {
  start(3);
  ASSERT_EQ(ask(0, {"SET", "x", "left-behind", "PX", "60000"}), "OK");
  for (int i = 0; i < 20; ++i) {
    auto const tried = client().try_acquire("x", {.ttl = 1s});
    ASSERT_TRUE(tried) << "nodes 1 and 2 are a majority; try " << i;
  }
}

TEST_F(redlock_faults, clients_that_are_cut_off_from_different_nodes_exclude_each_other) {
  start();
  initialize_as_cut();
  auto const left = client_of({0, 1, 2});
  auto const right = client_of({2, 3, 4});
  auto held = left.acquire("x", {.ttl = 2s});
  EXPECT_FALSE(right.try_acquire("x", {.ttl = 1s}));
  auto const token = held.token();
  held.release();
  auto const next = right.acquire("x", {.ttl = 2s, .wait = 3s});
  EXPECT_GT(next.token(), token);
  EXPECT_FALSE(left.try_acquire("x", {.ttl = 1s}));
}

}  // namespace
}  // namespace leasehold::test
