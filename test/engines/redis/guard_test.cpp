// Decides that a server that has forgotten, or is another one, grants nothing before the longest lease it may have granted is over.
#include "engines/redis/server_test.hpp"

namespace leasehold::test {
namespace {

using redis_guard = redis_test;

/// Once granted, nothing was granted within the probation: `from` is when the server was first asked after it had forgotten.
void expect_probation(store const& on, std::string_view name, std::uint64_t token) {
  auto const tried = on.try_acquire(name, {.ttl = 1s}, std::nothrow);
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error(), errc::probation);
  auto const left = tried.get_failure().details.retry_after();
  EXPECT_GT(left, 0s);
  EXPECT_LE(left, 2200ms);
  auto const from = clock::now();
  auto const next = on.acquire(name, {.ttl = 1s});
  EXPECT_GE(clock::now() - from, left - 100ms);
  EXPECT_GT(next.token(), token);
}

TEST_F(redis_guard, FAIL_1_a_server_that_comes_back_empty_grants_nothing_for_the_probation) {
  start_ready();
  auto const a = client();
  auto const held = a.acquire("x", {.ttl = 1500ms, .renew = renewal::manual});
  server_->kill();
  server_->start();
  auto const b = client();
  EXPECT_EQ(try_error(b, "x"), errc::probation) << "the first holder may still work";
  EXPECT_TRUE(held.held());
  expect_probation(b, "x", held.token());
  EXPECT_FALSE(held.held());
}

TEST_F(redis_guard, FAIL_1_without_the_guard_a_server_that_forgets_grants_twice) {
  start_ready();
  auto const best = server_->url("?max_ttl=2s&safety=best");
  auto const held = open(best).acquire("x", {.ttl = 1500ms, .renew = renewal::manual});
  server_->kill();
  server_->start();
  auto const second = open(best).try_acquire("x", {.ttl = 1s});
  EXPECT_TRUE(second) << "this is what the guard is for";
  EXPECT_TRUE(held.held());
  EXPECT_EQ(open(best).traits().exclusion, exclusion::best_effort);
  EXPECT_EQ(client().traits().exclusion, exclusion::timed);
}

TEST_F(redis_guard, FAIL_2_an_old_snapshot_is_noticed_although_the_guard_is_in_it) {
  start_ready();
  auto const a = client();
  a.acquire("before", {.ttl = 1s}).release();
  ASSERT_EQ(ask({"SAVE"}), "OK");
  auto const held = a.acquire("x", {.ttl = 1500ms, .renew = renewal::manual});
  server_->kill();
  server_->start();
  ASSERT_NE(ask({"EXISTS", "lh:guard"}), "0");
  expect_probation(client(), "x", held.token());
}

TEST_F(redis_guard, FAIL_3_a_promoted_replica_that_missed_the_grant_is_noticed) {
  auto const port = std::to_string(free_port());
  start_ready({"--port", port});
  redis_server replica({"--replicaof", "127.0.0.1", port, "--repl-diskless-sync-delay", "0"});
  auto const a = client();
  a.acquire("before", {.ttl = 1s}).release();
  ASSERT_TRUE(eventually([&] { return replica.command({"EXISTS", "lh:guard"}) == "1"; }));
  replica.pause();
  ask({"CLIENT", "KILL", "TYPE", "replica"});
  auto const held = a.acquire("x", {.ttl = 1500ms, .renew = renewal::manual});
  server_->kill();
  replica.resume();
  ASSERT_EQ(replica.command({"REPLICAOF", "NO", "ONE"}), "OK");
  ASSERT_EQ(replica.command({"EXISTS", "x"}), "0") << "it missed the grant";
  expect_probation(open(replica.url("?max_ttl=2s")), "x", held.token());
}

TEST_F(redis_guard, FAIL_6_flushall_is_noticed_within_the_same_process) {
  start_ready();
  auto const a = client();
  auto held = a.acquire("x", {.ttl = 1500ms, .renew = renewal::manual});
  ask({"FLUSHALL"});
  EXPECT_EQ(try_error(client(), "x"), errc::probation);
  std::error_code ec;
  held.renew(ec);
  EXPECT_EQ(ec, errc::lost) << "nothing is resurrected";
  expect_probation(client(), "x", held.token());
}

TEST_F(redis_guard, FAIL_6_init_ends_a_probation_and_erases_nothing) {
  start_ready();
  auto const a = client();
  auto const token = a.acquire("x", {.ttl = 1s}).token();
  ask({"FLUSHALL"});
  EXPECT_EQ(try_error(a, "x"), errc::probation);
  initialize(url());
  auto held = a.acquire("x", {.ttl = 1s});
  EXPECT_GT(held.token(), token);
  initialize(url());
  EXPECT_FALSE(client().try_acquire("x", {.ttl = 1s}));
  EXPECT_TRUE(held.held());
}

TEST_F(redis_guard, a_fresh_server_waits_once_and_says_what_to_type) {
  start();
  auto const tried = client().try_acquire("x", {.ttl = 1s}, std::nothrow);
  ASSERT_FALSE(tried);
  EXPECT_EQ(tried.error(), errc::probation);
  auto const& why = tried.get_failure().details;
  EXPECT_NE(why.message().find("fresh"), std::string_view::npos) << why.message();
  EXPECT_NE(why.hint().find("leasehold init"), std::string_view::npos);
  EXPECT_TRUE(client().acquire("x", {.ttl = 1s}));
  EXPECT_EQ(try_error(client(), "y"), std::error_code{}) << "once";
}

TEST_F(redis_guard, leases_that_survived_a_restart_are_renewed_through_the_probation) {
  start_ready({"--appendonly", "yes", "--appendfsync", "always"});
  auto const a = client();
  auto const held = a.acquire("x", {.ttl = 2s});
  server_->kill();
  server_->start();
  EXPECT_EQ(try_error(client(), "y"), errc::probation);
  auto const first = held.deadline();
  EXPECT_TRUE(eventually([&] { return held.deadline() > first; }));
  EXPECT_TRUE(held.held());
}

TEST_F(redis_guard, FAIL_18_a_newer_format_is_refused) {
  start_ready();
  ask({"HSET", "lh:guard", "v", "2"});
  EXPECT_EQ(try_error(client(), "x"), errc::misconfigured);
  EXPECT_EQ(initialize(url(), std::nothrow).error(), errc::misconfigured);
  EXPECT_EQ(ask({"EXISTS", "x"}), "0");
}

TEST_F(redis_guard, RENEW_9_a_ttl_beyond_what_the_server_was_initialized_for_is_refused) {
  start_ready();
  auto const wider = open(server_->url("?max_ttl=1h"));
  EXPECT_EQ(try_error(wider, "x", {.ttl = 10s}), errc::bad_option);
  EXPECT_EQ(ask({"EXISTS", "x"}), "0");
  EXPECT_EQ(try_error(wider, "x", {.ttl = 1s}), std::error_code{});
  initialize(server_->url("?max_ttl=1h"));
  EXPECT_EQ(try_error(wider, "x", {.ttl = 10s}), std::error_code{});
}

TEST_F(redis_guard, tokens_never_go_back_below_the_servers_clock) {
  start_ready();
  auto const first = client().acquire("x", {.ttl = 1s}).token();
  ask({"HSET", "lh:guard", "c", "1"});
  EXPECT_GT(client().acquire("x", {.ttl = 1s}).token(), first) << "the floor";
  ask({"HSET", "lh:guard", "c", "4000000000000000"});
  EXPECT_EQ(client().acquire("x", {.ttl = 1s}).token(), 4000000000000001U)
      << "the counter, where it is ahead of the clock";
}

TEST_F(redis_guard, FAIL_5_a_server_that_may_evict_is_refused) {
  start({"--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru"});
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(url(), {}, ec, &why));
  EXPECT_EQ(ec, errc::misconfigured);
  EXPECT_NE(why.hint().find("noeviction"), std::string_view::npos);
  ask({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
  EXPECT_NO_THROW(static_cast<void>(open(url())));
}

TEST_F(redis_guard, FAIL_9_a_replica_is_refused) {
  start({"--replicaof", "127.0.0.1", "1"});
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(url(), {}, ec, &why));
  EXPECT_EQ(ec, errc::misconfigured);
  EXPECT_NE(why.message().find("replica"), std::string_view::npos);
}

}  // namespace
}  // namespace leasehold::test
