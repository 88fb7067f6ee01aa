// Decides that a health check finds what is wrong with a real server, says what to do about it, and is content with a good one.
#include "engines/redis/server_test.hpp"

#include <algorithm>
#include <filesystem>

namespace leasehold::test {
namespace {

using level = finding::level;

class redis_doctor : public redis_test {
 protected:
  /// What `id` came to; anything but a pass has a remedy.
  static finding look(store const& on, std::string_view id) {
    auto const all = on.diagnose();
    auto const at = std::ranges::find(all, id, &finding::id);
    EXPECT_NE(at, all.end()) << id;
    if (at == all.end()) return {};
    EXPECT_TRUE(at->severity == level::pass || !at->remedy.empty()) << id;
    return *at;
  }
  static void expect(store const& on, std::string_view id, level severity, std::string_view part) {
    auto const found = look(on, id);
    EXPECT_EQ(found.severity, severity) << id << ": " << found.text;
    EXPECT_NE((found.text + " | " + found.remedy).find(part), std::string::npos)
        << id << ": " << found.text << " | " << found.remedy;
  }
  [[nodiscard]] store lazy(std::string const& query = "", std::string const& login = "") const {
    return open("redis+unix://" + login + server_->socket() + "?lazy=1&max_ttl=2s" + query);
  }
};

TEST_F(redis_doctor, a_good_server_has_nothing_but_passes) {
  start_ready({"--appendonly", "yes"});
  auto const on = client();
  on.acquire("x", {.ttl = 1s}).release();
  auto const all = on.diagnose();
  EXPECT_GE(all.size(), 10U);
  for (auto const& f : all) EXPECT_EQ(f.severity, level::pass) << f.id << ": " << f.text;
  auto const version = look(on, "redis/server").text;
  EXPECT_TRUE(version.starts_with("Redis ") || version.starts_with("Valkey ")) << version;
}

TEST_F(redis_doctor, FAIL_5_an_eviction_policy_is_found) {
  start({"--maxmemory", "64mb", "--maxmemory-policy", "volatile-ttl"});
  expect(lazy("&safety=best"), "redis/eviction", level::fail, "noeviction");
  ask({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  expect(lazy(), "redis/eviction", level::pass, "noeviction");
}

TEST_F(redis_doctor, persistence_is_weighed_against_the_longest_ttl) {
  start_ready();
  expect(client(), "redis/persistence", level::warn, "nothing new is granted for 2 s");
  expect(client(), "redis/persistence", level::warn, "appendonly yes");
  ask({"CONFIG", "SET", "appendonly", "yes"});
  expect(client(), "redis/persistence", level::pass, "2 s");
}

TEST_F(redis_doctor, FAIL_7_a_disk_that_cannot_be_written_is_found) {
  start_ready();
  std::filesystem::create_directory(server_->folder() / "dump.rdb");  // so the snapshot cannot take its name
  ask({"BGSAVE"});
  ASSERT_TRUE(eventually([&] {
    return ask({"INFO", "persistence"}).find("rdb_last_bgsave_status:err") != std::string::npos;
  }));
  expect(client(), "redis/persistence", level::warn, "disk");
}

TEST_F(redis_doctor, FAIL_3_replicas_are_found) {
  auto const port = std::to_string(free_port());
  start_ready({"--port", port});
  expect(client(), "redis/replicas", level::pass, "none");
  redis_server const replica({"--replicaof", "127.0.0.1", port, "--repl-diskless-sync-delay", "0"});
  ASSERT_TRUE(eventually([&] { return ask({"INFO", "replication"}).find("connected_slaves:1") != std::string::npos; }));
  expect(client(), "redis/replicas", level::warn, "promote only after");
}

TEST_F(redis_doctor, every_right_that_is_missing_is_found) {
  start({"--user", "default", "on", "nopass", "~*", "&*",    "+@all",                //
         "--user", "mute",    "on", ">m",     "~*", "&lh:*", "+@all", "-publish",    //
         "--user", "deaf",    "on", ">d",     "~*", "&lh:*", "+@all", "-subscribe",  //
         "--user", "guest",   "on", ">g",     "~x", "&lh:*", "+@all",                //
         "--user", "plain",   "on", ">p",     "~*", "&lh:*", "+@all", "-@scripting"});
  initialize(url());
  expect(lazy("", "mute:m@"), "redis/rights", level::fail, "+@pubsub");
  expect(lazy("", "guest:g@"), "redis/rights", level::fail, "lh:*");
  expect(lazy("", "plain:p@"), "redis/rights", level::fail, "+@scripting");
  expect(lazy("", "deaf:d@"), "redis/rights", level::pass, "may");
  expect(lazy("", "deaf:d@"), "redis/calls", level::warn, "SUBSCRIBE");
  expect(client(), "redis/calls", level::pass, "called");
}

TEST_F(redis_doctor, FAIL_1_the_state_of_the_guard_is_told) {
  start();
  expect(client(), "redis/guard", level::warn, "leasehold init");
  initialize(url());
  expect(client(), "redis/guard", level::pass, "longest TTL 2 s");
  expect(open(server_->url("?safety=best")), "redis/guard", level::warn, "grants twice");
  ask({"HSET", "lh:guard", "run", "another"});
  expect(client(), "redis/guard", level::warn, "restarted or was replaced");
  EXPECT_EQ(try_error(client(), "x"), errc::probation);
  expect(client(), "redis/guard", level::warn, "on probation for another");
  ask({"DEL", "lh:guard"});
  expect(client(), "redis/guard", level::warn, "fresh, or has forgotten");
}

TEST_F(redis_doctor, plain_text_over_a_network_is_found) {
  auto const port = std::to_string(free_port());
  start_ready({"--port", port});
  expect(open("redis://127.0.0.1:" + port + "?max_ttl=2s"), "redis/transport", level::pass, "this machine");
  expect(open("redis://elsewhere.test:" + port + "?max_ttl=2s"), "redis/transport", level::warn, "rediss:");
  expect(client(), "redis/transport", level::pass, "Unix socket");
}

TEST_F(redis_doctor, CONN_1_a_server_that_does_not_answer_is_found) {
  start_ready();
  auto const on = client();
  server_->kill();
  expect(on, "redis/server", level::fail, "is it running");
}

TEST_F(redis_doctor, FAIL_9_a_replica_and_a_server_without_scripts_are_refused_with_a_remedy) {
  start({"--rename-command", "EVALSHA", "gone"});
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(url(), {}, ec, &why));
  EXPECT_EQ(ec, errc::misconfigured);
  EXPECT_NE(why.hint().find("scripting"), std::string_view::npos) << why.hint();
  expect(lazy(), "redis/rights", level::fail, "scripting");
  start({"--user", "default", "on", "nopass", "~*", "&*", "+@all", "-@scripting"});
  static_cast<void>(open(url(), {}, ec, &why));
  EXPECT_EQ(ec, errc::auth);
  EXPECT_NE(why.hint().find("+@scripting"), std::string_view::npos) << why.hint();
}

}  // namespace
}  // namespace leasehold::test
