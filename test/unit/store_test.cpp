// Decides what a store's end, a lease's end and the process's threads may do to each other.
#include "unit/fake_engine.hpp"

#include <leasehold/memory.hpp>
#include <leasehold/mutex.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

TEST(store, close_releases_what_is_held_and_ends_later_calls) {
  memory_engine const engine;
  auto const a = engine.connect();
  auto const b = engine.connect();
  auto const one = a.acquire("x");
  auto const two = a.acquire("y", {.mode = mode::reader()});
  auto const copy = a;
  EXPECT_TRUE(copy.close(5s));
  EXPECT_FALSE(one.held());
  EXPECT_FALSE(two.held());
  EXPECT_TRUE(b.try_acquire("x"));
  EXPECT_TRUE(b.try_acquire("y"));
  EXPECT_EQ(a.try_acquire("z", {}, std::nothrow).error(), errc::cancelled);
  EXPECT_EQ(a.inspect("z", std::nothrow).error(), errc::cancelled);
  EXPECT_EQ(a.list("", std::nothrow).error(), errc::cancelled);
  EXPECT_EQ(a.evict("z", 1, {}, std::nothrow).error(), errc::cancelled);
  EXPECT_THROW(static_cast<void>(a.acquire("z")), error);
  EXPECT_THROW(static_cast<void>(a.adopt("z", "t")), error);
  EXPECT_TRUE(a.close(5s)) << "again";
}

TEST(store, CANCEL_1_close_ends_a_wait) {
  memory_engine const engine;
  auto const a = engine.connect();
  auto const held = engine.connect().acquire("x", {.ttl = 1h});
  std::error_code ec;
  std::thread waiter([&] { EXPECT_FALSE(a.acquire("x", {}, {}, ec)); });
  while (held && engine.connect().inspect("x").waiters.empty()) std::this_thread::yield();
  a.close(5s);
  waiter.join();
  EXPECT_EQ(ec, errc::cancelled);
  EXPECT_TRUE(engine.connect().inspect("x").waiters.empty());
}

TEST(store, WAIT_9_whoever_waits_in_vain_is_told_the_holder) {
  memory_engine const engine;
  auto const held = engine.connect().acquire("x", {.ttl = 1h, .identity = "them"});
  for (auto const wait : {duration(0s), duration(2s)}) {
    std::error_code ec;
    diagnostics words;
    std::thread waiter([&] { EXPECT_FALSE(engine.connect().acquire("x", {.wait = wait}, {}, ec, &words)); });
    while (wait > 0s && engine.connect().inspect("x").waiters.empty()) std::this_thread::yield();
    engine.advance(wait);
    waiter.join();
    EXPECT_EQ(ec, errc::timed_out);
    ASSERT_NE(words.holder(), nullptr) << wait.count();
    EXPECT_EQ(words.holder()->identity, "them");
    EXPECT_NE(words.message().find("them"), std::string_view::npos);
  }
}

TEST(store, close_gives_up_when_its_time_is_over) {
  fake_engine const engine(able_traits(), {.op_timeout = 20ms});
  gate never;
  engine.script->withdraw = [&](duration) -> spi::task<result<void>> {
    co_await never.pass();
    co_return result<void>();
  };
  std::vector<lease> held;
  for (int i = 0; i < 100; ++i) held.push_back(engine.locks.acquire("x" + std::to_string(i)));
  // Time stands still: whoever waited for a reply would wait for ever.
  EXPECT_FALSE(engine.locks.close(0s));
  EXPECT_EQ(engine.script->withdrawals, 100) << "every one is asked for";
  for (auto const& l : held) EXPECT_FALSE(l.held());
}

TEST(store, leases_outlive_their_store) {
  memory_engine const engine;
  lease held;
  {
    auto const a = engine.connect();
    held = a.acquire("x");
  }
  EXPECT_TRUE(held.held());
  held.renew();
  held.release();
  EXPECT_TRUE(engine.connect().try_acquire("x"));
}

TEST(store, the_engine_is_closed_after_the_last_lease) {
  std::shared_ptr<fake_script> script;
  {
    lease held;
    {
      fake_engine const engine;
      script = engine.script;
      held = engine.locks.acquire("x", {.ttl = 9s});
    }
    EXPECT_FALSE(script->closed);
    EXPECT_TRUE(held.held());
  }
  EXPECT_TRUE(script->closed);
  EXPECT_EQ(script->withdrawals, 1);
}

TEST(lease, moving_passes_it_on_and_assigning_releases_the_old_one) {
  memory_engine const engine;
  auto const a = engine.connect();
  auto x = a.acquire("x");
  auto moved = std::move(x);
  EXPECT_FALSE(x);
  EXPECT_TRUE(moved.held());
  moved = a.acquire("y");
  EXPECT_TRUE(engine.connect().try_acquire("x"));
  EXPECT_EQ(moved.name(), "y");
  auto& same = moved;
  moved = std::move(same);
  EXPECT_TRUE(moved.held());
}

TEST(lease, OWN_3_release_is_idempotent) {
  fake_engine const engine;
  auto held = engine.locks.acquire("x");
  held.release();
  held.release();
  std::error_code ec = make_error_code(errc::internal);
  held.release(ec);
  EXPECT_FALSE(ec);
  EXPECT_EQ(engine.script->withdrawals, 1);
  EXPECT_FALSE(held.held());
  EXPECT_THROW(held.checkpoint(), lease_lost);
  EXPECT_EQ(held.remaining(), 0s);
}

TEST(lease, OWN_2_release_of_an_expired_lease_says_expired) {
  fake_engine const engine;
  auto held = engine.locks.acquire("x", {.ttl = 1s});
  engine.time->advance(1s);
  std::error_code ec;
  held.release(ec);
  EXPECT_EQ(ec, errc::expired);
}

TEST(lease, OWN_4_destruction_on_a_dead_engine_is_bounded_and_silent) {
  fake_engine const engine;
  gate never;
  engine.script->withdraw = [&](duration) -> spi::task<result<void>> {
    co_await never.pass();
    co_return result<void>();
  };
  std::atomic<bool> ended{false};
  std::thread mover([&] {
    while (!ended) engine.time->advance(10ms);
  });
  auto const before = engine.time->now();
  { auto const held = engine.locks.acquire("x", {.ttl = 8s}); }
  EXPECT_GE(engine.time->now() - before, 2s) << "a quarter of the TTL";
  ended = true;
  mover.join();
}

TEST(lease, hold_at_least_puts_the_release_off_at_the_engine) {
  fake_engine const engine;
  duration asked{};
  engine.script->withdraw = [&](duration hold_off) -> spi::task<result<void>> {
    asked = hold_off;
    co_return result<void>();
  };
  auto held = engine.locks.acquire("x", {.hold_at_least = 10s});
  engine.time->advance(4s);
  held.release();
  EXPECT_EQ(asked, 6s);
}

TEST(lease, PROC_2_release_renew_held_and_loss_at_once) {
  for (int round = 0; round < 50; ++round) {
    fake_engine engine;
    auto held = engine.locks.acquire("x", {.ttl = 9s});
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
      std::error_code ec;
      held.release(ec);
    });
    threads.emplace_back([&] {
      std::error_code ec;
      held.renew(ec);
    });
    threads.emplace_back([&] {
      static_cast<void>(held.held());
      static_cast<void>(held.remaining());
      static_cast<void>(held.lost());
    });
    threads.emplace_back([&] { engine.time->set(at(3s)), static_cast<void>(spi::run_due(engine.locks)); });
    threads.emplace_back([&] { engine.locks.close(1s); });
    for (auto& t : threads) t.join();
    EXPECT_FALSE(held.held());
    EXPECT_EQ(engine.script->withdrawals, 1);
  }
}

TEST(lease, PROC_2_a_second_release_returns_when_the_first_is_over) {
  fake_engine const engine;
  gate reply;
  std::atomic<bool> over{false};
  engine.script->withdraw = [&](duration) -> spi::task<result<void>> {
    co_await reply.pass();
    over = true;
    co_return result<void>();
  };
  auto held = engine.locks.acquire("x");
  std::thread first([&] { held.release(); });
  reply.await_arrivals(1);
  std::atomic<bool> asking{false};
  std::thread replier([&] {
    while (!asking) std::this_thread::yield();
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    reply.open();
  });
  asking = true;
  held.release();
  EXPECT_TRUE(over) << "the name is not free yet";
  first.join();
  replier.join();
  EXPECT_EQ(engine.script->withdrawals, 1);
}

TEST(lease, PROC_3_it_lives_on_when_its_thread_ends) {
  memory_engine const engine;
  auto const a = engine.connect();
  lease held;
  std::thread([&] { held = a.acquire("x", {.ttl = 9s}); }).join();
  engine.advance(60s);
  EXPECT_TRUE(held.held());
}

TEST(store, PROC_2_acquire_and_close_at_once) {
  for (int round = 0; round < 50; ++round) {
    memory_engine const engine;
    auto const a = engine.connect();
    std::vector<std::thread> threads;
    for (int t = 0; t < 3; ++t) {
      threads.emplace_back([&] {
        std::error_code ec;
        while (!ec) {
          auto const held = a.acquire("x", {.ttl = 9s}, {}, ec);
        }
        EXPECT_EQ(ec, errc::cancelled);
      });
    }
    std::this_thread::yield();
    a.close(5s);
    for (auto& t : threads) t.join();
  }
}

}  // namespace
}  // namespace leasehold::test
