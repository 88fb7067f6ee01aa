// Decides how the engine lives beside others on the server: foreign clients, data under a lock's name, many callers.
#include "engines/redis/server_test.hpp"

#include <atomic>
#include <future>
#include <thread>

namespace leasehold::test {
namespace {

class redis_neighbours : public redis_test {
 protected:
  std::error_code ignored_;
};

TEST_F(redis_neighbours, a_foreign_lock_is_seen_waited_for_and_taken_over_at_its_expiry) {
  start_ready();
  auto const a = client();
  ASSERT_EQ(ask({"SET", "x", "somebody", "NX", "PX", "600"}), "OK");
  auto const tried = a.try_acquire("x", {.ttl = 1s});
  EXPECT_FALSE(tried);
  ASSERT_NE(tried.holder(), nullptr);
  EXPECT_TRUE(tried.holder()->foreign);
  auto const info = a.inspect("x");
  EXPECT_EQ(info.state, lock_state::held);
  ASSERT_EQ(info.holders.size(), 1U);
  EXPECT_TRUE(info.holders[0].foreign && info.holders[0].expires_at && !info.holders[0].token);
  auto const from = clock::now();
  EXPECT_TRUE(a.acquire("x", {.ttl = 1s, .wait = 5s}));
  EXPECT_GE(clock::now() - from, 400ms);
  EXPECT_LE(clock::now() - from, 3s);
}

TEST_F(redis_neighbours, a_foreign_release_which_calls_nobody_is_noticed_soon) {
  start_ready();
  auto const a = client();
  ask({"SET", "x", "somebody", "NX", "PX", "60000"});
  auto waiter = std::async(std::launch::async, [&] { return a.acquire("x", {.ttl = 1s, .wait = 20s}); });
  ASSERT_TRUE(eventually([&] { return a.inspect("x").waiters.size() == 1; }));
  ask({"DEL", "x"});
  ASSERT_EQ(waiter.wait_for(900ms), std::future_status::ready) << "a plain poll takes a second";
  EXPECT_TRUE(waiter.get().held());
}

TEST_F(redis_neighbours, a_foreign_client_is_refused_whatever_we_hold_and_competes_when_it_is_free) {
  start_ready();
  auto const a = client();
  for (auto const how : {mode::exclusive(), mode::reader(), mode::semaphore(3)}) {
    auto held = a.acquire("x", {.ttl = 2s, .mode = how});
    EXPECT_EQ(ask({"SET", "x", "somebody", "NX", "PX", "1000"}), "(nil)");
    held.release();
    EXPECT_EQ(ask({"SET", "x", "somebody", "NX", "PX", "1000"}), "OK");
    ask({"DEL", "x"});
  }
}

TEST_F(redis_neighbours, OWN_1_the_foreign_compare_and_delete_frees_nothing_of_ours) {
  start_ready();
  auto const held = client().acquire("x", {.ttl = 2s});
  EXPECT_EQ(
      ask({"EVAL", "if redis.call('get',KEYS[1])==ARGV[1] then return redis.call('del',KEYS[1]) else return 0 end", "1",
           "x", "somebody"}),
      "0");
  EXPECT_EQ(ask({"EXISTS", "x"}), "1");
  EXPECT_TRUE(held.held());
}

TEST_F(redis_neighbours, a_key_of_ours_that_somebody_deletes_is_lost_by_the_next_renewal) {
  start_ready();
  auto const held = client().acquire("x", {.ttl = 1500ms});
  ask({"DEL", "x"});
  ask({"SET", "x", "somebody", "PX", "60000"});
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 1s));
  EXPECT_EQ(ask({"GET", "x"}), "somebody");
}

TEST_F(redis_neighbours, data_under_a_locks_name_is_refused_and_left_alone) {
  start_ready();
  auto const a = client();
  ask({"RPUSH", "x", "1", "2"});
  EXPECT_EQ(try_error(a, "x"), errc::mode_mismatch);
  EXPECT_EQ(try_error(a, "x", {.ttl = 1s, .mode = mode::reader()}), errc::mode_mismatch);
  EXPECT_EQ(a.inspect("x", std::nothrow).error(), errc::mode_mismatch);
  EXPECT_EQ(a.evict("x", 1, {}, std::nothrow).error(), errc::mode_mismatch);
  EXPECT_EQ(ask({"LRANGE", "x", "0", "-1"}), "1\n2");
  EXPECT_TRUE(a.list().empty());
  EXPECT_EQ(ask({"KEYS", "lh:*x*"}), "");
}

TEST_F(redis_neighbours, a_lease_whose_key_becomes_data_is_lost_alone) {
  start_ready();
  auto const a = client();
  auto const spoilt = a.acquire("spoilt", {.ttl = 1s});
  auto const well = a.acquire("well", {.ttl = 1s});
  ask({"DEL", "spoilt"});
  ask({"RPUSH", "spoilt", "1"});
  EXPECT_TRUE(eventually([&] { return !spoilt.held(); }, 1s));
  ::poll(nullptr, 0, 1200);
  EXPECT_TRUE(well.held());
}

TEST_F(redis_neighbours, NAME_3_names_of_leaseholds_own_keys_are_refused) {
  start_ready();
  auto const a = client();
  EXPECT_EQ(try_error(a, "lh:guard"), errc::bad_name);
  EXPECT_EQ(a.inspect("lh:index", std::nothrow).error(), errc::bad_name);
  EXPECT_EQ(a.evict("lh:guard", 1, {}, std::nothrow).error(), errc::bad_name);
  EXPECT_TRUE(open(url(), {.name_space = "app/"}).try_acquire("lh:guard", {.ttl = 1s}));
}

TEST_F(redis_neighbours, nothing_is_left_behind_by_locks_that_were_released) {
  start_ready();
  auto const a = client();
  for (auto const how : {mode::exclusive(), mode::reader(), mode::semaphore(2)}) {
    auto held = a.acquire("x", {.ttl = 1s, .mode = how});
    auto waiter = std::async(std::launch::async,
                             [&] { return a.acquire("x", {.ttl = 1s, .wait = 50ms, .mode = how}, {}, ignored_); });
    static_cast<void>(waiter.get());
  }
  EXPECT_EQ(ask({"KEYS", "*x*"}), "");
  EXPECT_EQ(ask({"HLEN", "lh:index"}), "0");
}

TEST_F(redis_neighbours, an_index_that_lies_is_put_right_on_reading) {
  start_ready();
  auto const a = client();
  auto const held = a.acquire("true", {.ttl = 2s});
  ask({"HSET", "lh:index", "false", "junk", "dead", "v=1&t=1&o=abc", "long dead", "v=1&t=1&o=abc&gone=1700000000000"});
  auto const all = a.list();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].name, "true");
  EXPECT_EQ(ask({"HEXISTS", "lh:index", "false"}), "0");
  EXPECT_EQ(ask({"HEXISTS", "lh:index", "long dead"}), "0");
  // Whoever did not release is remembered for a day, for the next holder.
  EXPECT_NE(ask({"HGET", "lh:index", "dead"}).find("&gone="), std::string::npos);
}

TEST_F(redis_neighbours, WAIT_1_a_waiter_is_there_when_a_silent_holders_ttl_ends) {
  start_ready();
  auto const held = client().acquire("x", {.ttl = 1200ms, .renew = renewal::manual});
  auto const from = clock::now();
  auto const left = std::chrono::milliseconds(std::stoll(ask({"PTTL", "x"})));
  auto const next = client().acquire("x", {.ttl = 1s, .wait = 10s});
  EXPECT_GE(clock::now() - from, left - 50ms);
  EXPECT_LE(clock::now() - from, left + 250ms) << "its sleeps end with the holder's time; no event tells of that";
  EXPECT_EQ(ask({"CONFIG", "GET", "notify-keyspace-events"}), "notify-keyspace-events\n");
}

TEST_F(redis_neighbours, callers_of_one_store_share_one_connection) {
  start_ready();
  auto const on = client();
  auto const connections = [&] {
    auto const all = ask({"CLIENT", "LIST"});
    std::size_t count = 0;
    for (auto at = all.find("name=leasehold"); at != std::string::npos; at = all.find("name=leasehold", at + 1))
      ++count;
    return count;
  };
  std::vector<std::thread> all;
  for (int i = 0; i < 8; ++i) {
    all.emplace_back([&on, name = "x" + std::to_string(i)] {
      for (int n = 0; n < 100; ++n) on.acquire(name, {.ttl = 2s}).release();
    });
  }
  for (auto& t : all) t.join();
  EXPECT_EQ(connections(), 1U);
}

TEST_F(redis_neighbours, a_listing_survives_scripts_that_are_flushed_meanwhile) {
  start();
  initialize(server_->url());
  auto const on = open(server_->url());
  std::vector<lease> held;
  for (int i = 0; i < 400; ++i) held.push_back(on.acquire("x" + std::to_string(i), {.ttl = 30s}));
  std::atomic<bool> done = false;
  std::thread flusher([&] {
    while (!done) ask({"SCRIPT", "FLUSH"});
  });
  for (int i = 0; i < 40; ++i) {
    auto const all = on.list("", std::nothrow);
    EXPECT_TRUE(all) << all.get_failure().details.server_text();
    if (!all) break;
    EXPECT_EQ(all->size(), 400U);
  }
  done = true;
  flusher.join();
}

}  // namespace
}  // namespace leasehold::test
