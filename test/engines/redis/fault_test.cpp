// Decides what becomes of leases and waits when server or connection fail in every way a test can arrange.
#include "engines/redis/server_test.hpp"
#include "support/fault_proxy.hpp"

#include <leasehold/acquire_operation.hpp>

#include <atomic>
#include <future>
#include <thread>

namespace leasehold::test {
namespace {

class redis_faults : public redis_test {
 protected:
  /// A client of its own behind a relay of its own.
  store proxied() {
    auto const at = (server_->folder() / "p").string();
    proxy_ = std::make_unique<fault_proxy>(at, server_->socket());
    return open("redis+unix://" + at + "?max_ttl=2s");
  }
  static std::future<lease> wait_for(store const& on, std::string name,
                                     acquire_options options = {.ttl = 1s, .wait = 20s}) {
    return std::async(std::launch::async, [=] { return on.acquire(name, options); });
  }
  bool await_waiters(std::string_view name, std::size_t count) {
    auto const look = client();
    return eventually([&] { return look.inspect(name).waiters.size() == count; });
  }

  std::unique_ptr<fault_proxy> proxy_;
};

TEST_F(redis_faults, RENEW_5_a_server_that_is_gone_costs_the_lease_at_its_deadline_neither_before_nor_after) {
  start_ready();
  auto const on = client();
  auto const held = on.acquire("x", {.ttl = 1s});
  server_->kill();
  auto const deadline = held.deadline();
  auto const stop = held.lost();
  while (clock::now() < deadline - 20ms) {
    ASSERT_TRUE(held.held()) << "silence alone is no loss";
    ASSERT_FALSE(stop.stop_requested());
    ::poll(nullptr, 0, 5);
  }
  EXPECT_TRUE(eventually([&] { return clock::now() >= deadline; }));
  EXPECT_FALSE(held.held());
  EXPECT_TRUE(eventually([&] { return stop.stop_requested(); }));
}

TEST_F(redis_faults, FAIL_4_a_server_stopped_past_the_ttl_gives_nothing_back) {
  start_ready();
  auto const a = client();
  auto held = a.acquire("x", {.ttl = 500ms});
  auto const token = held.token();
  server_->pause();
  ASSERT_TRUE(eventually([&] { return !held.held(); }, 2s));
  server_->resume();
  auto const next = client().acquire("x", {.ttl = 1s, .wait = 5s});
  EXPECT_GT(next.token(), token);
  ::poll(nullptr, 0, 600);
  EXPECT_FALSE(held.held()) << "a renewal that was carried out late brings nothing back";
  EXPECT_TRUE(next.held());
}

TEST_F(redis_faults, CONN_7_a_server_stopped_for_less_than_the_ttl_costs_nothing) {
  start_ready();
  auto const a = client();
  auto const held = a.acquire("x", {.ttl = 2s});
  server_->pause();
  ::poll(nullptr, 0, 800);
  server_->resume();
  ::poll(nullptr, 0, 2000);
  EXPECT_TRUE(held.held());
}

TEST_F(redis_faults, CONN_7_one_requests_timeout_harms_no_other_on_the_connection) {
  start_ready();
  auto const on = proxied();
  on.acquire("warm", {.ttl = 1s}).release();
  auto const before = proxy_->connections();
  auto const held = on.acquire("other", {.ttl = 2s, .renew = renewal::manual});
  server_->pause();
  auto patient = wait_for(on, "patient", {.ttl = 2s, .wait = 10s});
  EXPECT_EQ(try_error(on, "hasty", {.ttl = 200ms}), errc::outcome_unknown);
  server_->resume();
  EXPECT_TRUE(patient.get().held());
  EXPECT_EQ(proxy_->connections(), before) << "nobody had to connect anew";
  EXPECT_TRUE(eventually([&] { return on.inspect("hasty").state == lock_state::free; })) << "OWN-9: bounded by its TTL";
}

TEST_F(redis_faults, every_script_is_sent_again_after_a_script_flush) {
  start_ready();
  auto const a = client();
  auto const flush = [&] {
    ASSERT_EQ(ask({"SCRIPT", "FLUSH"}), "OK");
    ASSERT_EQ(ask({"FUNCTION", "FLUSH"}), "OK");
  };
  flush();
  auto held = a.acquire("x", {.ttl = 1s, .renew = renewal::manual});
  flush();
  held.renew();
  flush();
  auto const info = a.inspect("x");
  EXPECT_EQ(info.holders.size(), 1U);
  flush();
  held.release();
  EXPECT_EQ(a.inspect("x").state, lock_state::free);
  auto reader = a.acquire("r", {.ttl = 1s, .mode = mode::reader(), .renew = renewal::manual});
  flush();
  reader.renew();
  flush();
  auto const ticket = reader.detach();
  flush();
  reader = a.adopt("r", ticket, {.ttl = 1s, .mode = mode::reader()});
  flush();
  a.evict("r", reader.token(), {.now = true});
  flush();
  initialize(url());
}

TEST_F(redis_faults, renewals_of_many_survive_a_script_flush) {
  start_ready();
  auto const a = client();
  std::vector<lease> all;
  for (int i = 0; i < 300; ++i) all.push_back(a.acquire("x" + std::to_string(i), {.ttl = 1s}));
  for (int i = 0; i < 6; ++i) {
    ask({"SCRIPT", "FLUSH"});
    ::poll(nullptr, 0, 300);
  }
  for (auto const& l : all) EXPECT_TRUE(l.held()) << l.name();
}

TEST_F(redis_faults, RENEW_13_hundreds_of_leases_are_renewed_by_few_requests) {
  start_ready();
  auto const on = proxied();
  std::vector<lease> all;
  for (int i = 0; i < 600; ++i) all.push_back(on.acquire("x" + std::to_string(i), {.ttl = 2s}));
  auto const before = proxy_->requests();
  auto const first = all.back().deadline();
  ASSERT_TRUE(eventually([&] { return all.back().deadline() > first; }));
  EXPECT_LT(proxy_->requests() - before, 100U);
  for (auto const& l : all) EXPECT_TRUE(l.held());
}

TEST_F(redis_faults, CONN_5_connections_killed_again_and_again_are_not_noticed_by_callers) {
  start_ready();
  auto const a = client();
  for (int i = 0; i < 20; ++i) {
    auto held = a.acquire("x", {.ttl = 2s, .wait = 5s});
    ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    std::error_code ec;
    held.renew(ec);
    EXPECT_FALSE(ec) << ec.message();
    ask({"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"});
    held.release(ec);
    EXPECT_FALSE(ec) << ec.message();
  }
}

TEST_F(redis_faults, WAIT_1_a_waiter_whose_subscription_was_killed_is_still_called) {
  start_ready();
  auto held = client().acquire("x", {.ttl = 2s});
  auto waiter = wait_for(client(), "x");
  ASSERT_TRUE(await_waiters("x", 1));
  for (int i = 0; i < 5; ++i) {
    ask({"CLIENT", "KILL", "TYPE", "pubsub"});
    ::poll(nullptr, 0, 20);
  }
  held.release();
  ASSERT_EQ(waiter.wait_for(3s), std::future_status::ready);
  EXPECT_TRUE(waiter.get().held());
}

TEST_F(redis_faults, WAIT_2_the_second_connection_is_there_only_while_somebody_waits) {
  start_ready();
  auto const a = client();
  auto const waiting = [&] { return ask({"CLIENT", "LIST"}).find("name=leasehold-waiting") != std::string::npos; };
  auto held = a.acquire("x", {.ttl = 2s});
  EXPECT_FALSE(waiting());
  auto waiter = wait_for(a, "x");
  EXPECT_TRUE(eventually(waiting));
  held.release();
  auto second = waiter.get();
  EXPECT_TRUE(eventually([&] { return !waiting(); })) << "the keeper's renewals see to it";
}

TEST_F(redis_faults, CONN_2_a_request_cut_at_any_byte_leaves_nothing_held_but_what_is_told) {
  start_ready();
  auto const on = proxied();
  on.acquire("x", {.ttl = 1s}).release();
  auto const direct = client();
  for (std::int64_t k = 0; k < 420; k += 7) {
    proxy_->cut_after(k);
    std::error_code ec;
    auto held = on.acquire("x", {.ttl = 2s, .wait = 5s}, {}, ec);
    proxy_->cut_after(-1);
    ASSERT_TRUE(held) << k << ": " << ec.message();
    ASSERT_EQ(direct.inspect("x").holders.size(), 1U) << k;
    ASSERT_FALSE(direct.try_acquire("x", {.ttl = 1s})) << k;
    proxy_->cut_after(k);
    held.release(ec);
    proxy_->cut_after(-1);
    ASSERT_FALSE(ec) << k << ": " << ec.message();
    ASSERT_EQ(direct.inspect("x").state, lock_state::free) << k;
  }
}

TEST_F(redis_faults, FAIL_7_a_full_server_refuses_new_locks_and_lets_go_of_old_ones) {
  start_ready();
  auto const a = client();
  a.acquire("warm", {.ttl = 1s}).renew();
  auto held = a.acquire("x", {.ttl = 2s});
  ask({"CONFIG", "SET", "maxmemory", "1"});
  EXPECT_EQ(try_error(a, "y"), errc::unavailable);
  std::error_code ec;
  held.renew(ec);
  EXPECT_FALSE(ec) << ec.message();
  held.release(ec);
  EXPECT_FALSE(ec) << ec.message();
  ask({"CONFIG", "SET", "maxmemory", "0"});
  EXPECT_EQ(ask({"EXISTS", "x", "y"}), "0");
}

TEST_F(redis_faults, FAIL_7_a_master_that_became_a_replica_grants_nothing) {
  start_ready();
  auto const a = client();
  auto held = a.acquire("x", {.ttl = 2s, .renew = renewal::manual});
  ask({"REPLICAOF", "127.0.0.1", "1"});
  auto const why = try_error(a, "y");
  EXPECT_TRUE(why == errc::unavailable || why == errc::misconfigured) << why.message();
  std::error_code ec;
  held.renew(ec);
  EXPECT_TRUE(ec);
  ask({"REPLICAOF", "NO", "ONE"});
  EXPECT_TRUE(eventually([&] { return !try_error(a, "y"); }));
}

TEST_F(redis_faults, FAIL_7_a_server_busy_with_somebodys_script_is_unavailable_then_well) {
  start_ready({"--busy-reply-threshold", "50"});
  auto const a = client();
  std::thread hog([&] { ask({"EVAL", "while true do end", "0"}); });
  EXPECT_TRUE(eventually([&] { return try_error(a, "x", {.ttl = 2s}) == errc::unavailable; }));
  ask({"SCRIPT", "KILL"});
  hog.join();
  EXPECT_TRUE(eventually([&] { return !try_error(a, "x"); }));
}

TEST_F(redis_faults, FAIL_7_a_server_that_is_loading_its_data_is_unavailable_then_well) {
  start({"--key-load-delay", "1500", "--loading-process-events-interval-bytes", "1024"});
  auto const longer = server_->url("?max_ttl=60s");
  initialize(longer);
  auto const on = open(longer);
  auto held = on.acquire("x", {.ttl = 30s, .renew = renewal::manual});
  ask({"EVAL", "for i = 1, 1000 do redis.call('set', 'k' .. i, 'v') end", "0"});
  ASSERT_EQ(ask({"SAVE"}), "OK");
  server_->kill();
  auto refused = std::async(std::launch::async, [&] {
    std::error_code code;
    bool const loading = eventually([&] {
      diagnostics why;
      static_cast<void>(on.acquire("y", {.ttl = 1s, .wait = 0s}, {}, code, &why));
      return why.message().find("loading") != std::string_view::npos;
    });
    return loading && code == errc::unavailable;
  });
  server_->start();  // on this thread, at whose end the server ends
  EXPECT_TRUE(refused.get());
  EXPECT_TRUE(eventually([&] { return try_error(on, "y") != errc::unavailable; }));
  std::error_code renewed;
  held.renew(renewed);
  EXPECT_FALSE(renewed) << "it was in what was loaded";
}

TEST_F(redis_faults, FAIL_4_a_server_that_sleeps_through_a_request_carries_it_out_late_and_nothing_stays_locked) {
  start_ready();
  auto const on = open(url(), {.op_timeout = 200ms});
  on.acquire("warm", {.ttl = 1s}).release();
  std::thread asleep([&] { ask({"DEBUG", "SLEEP", "1"}); });
  EXPECT_TRUE(eventually([&] { return try_error(on, "x", {.ttl = 1s}) == errc::outcome_unknown; }, 900ms));
  asleep.join();
  EXPECT_TRUE(eventually([&] { return ask({"EXISTS", "x"}) == "0"; }, 900ms)) << "withdrawn, sooner than by its TTL";
}

TEST_F(redis_faults, CONN_1_a_server_that_is_down_is_unavailable_at_once_and_found_again) {
  start_ready();
  auto const a = client();
  server_->kill();
  auto const from = clock::now();
  EXPECT_EQ(try_error(a, "x", {.ttl = 2s}), errc::unavailable);
  EXPECT_LT(clock::now() - from, 400ms) << "refused, not waited for";
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(url(), {}, ec, &why));
  EXPECT_EQ(ec, errc::unavailable);
  EXPECT_FALSE(why.hint().empty());
  auto const lazy = open(server_->url("?lazy=1&max_ttl=2s"));
  server_->start();
  initialize(url());
  EXPECT_TRUE(eventually([&] { return !try_error(a, "x"); }, 5s));
  EXPECT_TRUE(eventually([&] { return !try_error(lazy, "y"); }, 5s));
}

TEST_F(redis_faults, WAIT_11_a_waiter_outlives_a_restart_of_the_server) {
  start_ready();
  auto const held = client().acquire("x", {.ttl = 1s, .renew = renewal::manual});
  auto waiter = wait_for(client(), "x");
  ASSERT_TRUE(await_waiters("x", 1));
  server_->kill();
  ::poll(nullptr, 0, 300);
  server_->start();
  auto const next = waiter.get();  // through the probation
  EXPECT_TRUE(next.held());
  EXPECT_GE(next.acquired_at(), held.deadline());
  EXPECT_GT(next.token(), held.token());
}

TEST_F(redis_faults, WAIT_3_hand_offs_take_few_requests_however_many_wait) {
  start_ready();
  auto const on = proxied();
  for (std::size_t const contenders : {4U, 24U}) {
    auto gate = std::make_unique<lease>(on.acquire("x", {.ttl = 2s}));
    std::atomic<int> served = 0;
    std::vector<std::thread> all;
    for (std::size_t i = 0; i < contenders; ++i) {
      all.emplace_back([&] {
        for (int n = 0; n < 20; ++n) {
          on.acquire("x", {.ttl = 2s}).release();
          ++served;
        }
      });
    }
    ASSERT_TRUE(await_waiters("x", contenders));
    auto const before = proxy_->requests();
    gate.reset();
    for (auto& t : all) t.join();
    auto const per_hand_off = static_cast<double>(proxy_->requests() - before) / served;
    EXPECT_LE(per_hand_off, 4) << contenders;
  }
}

TEST_F(redis_faults, CANCEL_3_an_operation_destroyed_while_its_request_is_under_way_leaves_nothing) {
  start_ready();
  auto const on = client();
  on.acquire("warm", {.ttl = 1s}).release();
  server_->pause();
  { acquire_operation const gone(on, "x", {.ttl = 2s}); }
  server_->resume();
  EXPECT_TRUE(eventually([&] { return ask({"EXISTS", "x"}) == "0"; }, 1s)) << "sooner than by its TTL";
  EXPECT_TRUE(client().try_acquire("x", {.ttl = 1s}));
}

TEST_F(redis_faults, operations_on_a_users_loop_share_the_connection_with_blocking_calls) {
  start_ready();
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 2s});
  std::vector<std::unique_ptr<acquire_operation>> idle;
  for (int i = 0; i < 8; ++i)
    idle.push_back(std::make_unique<acquire_operation>(on, "y" + std::to_string(i), acquire_options{.ttl = 2s}));
  // Nobody runs their loop for a while, and whoever calls meanwhile does not wait for them.
  for (int i = 0; i < 50; ++i) on.acquire("z", {.ttl = 2s}).release();
  acquire_operation waiting(on, "x", {.ttl = 2s});
  std::thread releaser([&] { held.release(); });
  pollfd p{waiting.descriptor(), POLLIN, 0};
  while (!waiting.advance()) ASSERT_GT(::poll(&p, 1, 5000), 0);
  releaser.join();
  EXPECT_TRUE(waiting.take().held());
  for (auto const& one : idle) {
    pollfd q{one->descriptor(), POLLIN, 0};
    while (!one->advance()) ASSERT_GT(::poll(&q, 1, 5000), 0);
    EXPECT_TRUE(one->take().held());
  }
}

TEST_F(redis_faults, a_server_without_functions_runs_the_same_as_a_script) {
  start_ready({"--rename-command", "FCALL", ""});
  auto const a = client();
  auto held = a.acquire("x", {.ttl = 1s});
  EXPECT_FALSE(client().try_acquire("x", {.ttl = 1s}));
  server_->kill();
  server_->start();
  EXPECT_EQ(try_error(client(), "x"), errc::probation) << "FAIL-1";
  EXPECT_EQ(ask({"FUNCTION", "LIST"}), "");
}

}  // namespace
}  // namespace leasehold::test
