// Decides whether the keeper's heap always knows what is due next, and whether one slow renewal harms no other lease.
#include "core/keeper.hpp"

#include "core/lease_state.hpp"
#include "unit/fake_engine.hpp"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

using detail::lease_state;
using detail::store_access;

TEST(keeper, RENEW_11_random_enrolments_agree_with_a_plain_map) {
  fake_engine const engine;
  auto const& state = store_access::state(engine.locks);
  std::vector<detail::lease_ref> leases;
  for (int i = 0; i < 64; ++i) leases.push_back(lease_state::make(state, nullptr, "x", acquire_options()));
  std::map<lease_state*, time_point> model;
  std::mt19937 random(7);
  auto const below = [&](int n) { return std::uniform_int_distribution<int>(0, n - 1)(random); };
  for (int step = 0; step < 20'000; ++step) {
    auto& who = *leases[static_cast<std::size_t>(below(64))];
    if (below(3) == 0) {
      state->keeper->dismiss(who);
      model.erase(&who);
    } else {
      auto const due = at(1h + std::chrono::minutes(below(40)));
      state->keeper->enrol(who, due);
      model[&who] = due;
    }
    auto next = time_point::max();
    for (auto const& [lease, due] : model) next = std::min(next, due);
    ASSERT_EQ(state->keeper->run_due(*state), next) << step;
  }
  for (auto const& who : leases) state->keeper->dismiss(*who);
  EXPECT_EQ(state->keeper->run_due(*state), time_point::max());
}

TEST(keeper, renewals_happen_at_a_third_of_the_ttl) {
  fake_engine const engine;
  auto const held = engine.locks.acquire("x", {.ttl = 9s});
  auto const next = spi::run_due(engine.locks);
  EXPECT_EQ(next, at(3s));
  engine.time->set(next);
  EXPECT_EQ(spi::run_due(engine.locks), at(6s));
  EXPECT_EQ(engine.script->renewals, 1);
  EXPECT_EQ(held.deadline(), at(3s) + 9s - 90ms - 5ms);
}

TEST(keeper, RENEW_13_leases_due_together_are_renewed_together) {
  fake_engine const engine;
  std::vector<lease> held;
  for (int i = 0; i < 100; ++i) {
    held.push_back(engine.locks.acquire("x" + std::to_string(i), {.ttl = 9s}));
    engine.time->advance(100us);
  }
  engine.time->set(at(3s));
  static_cast<void>(spi::run_due(engine.locks));
  EXPECT_EQ(engine.script->renewals, 100);
}

TEST(keeper, RENEW_13_ten_thousand_leases_miss_no_deadline) {
  fake_engine const engine;
  std::vector<lease> held;
  for (int i = 0; i < 10'000; ++i) held.push_back(engine.locks.acquire("x" + std::to_string(i), {.ttl = 9s}));
  for (auto next = spi::run_due(engine.locks); next < at(60s); next = spi::run_due(engine.locks))
    engine.time->set(next);
  for (auto const& l : held) ASSERT_TRUE(l.held());
}

TEST(keeper, RENEW_11_a_released_lease_is_renewed_no_more) {
  fake_engine const engine;
  auto held = engine.locks.acquire("x", {.ttl = 9s});
  held.release();
  EXPECT_EQ(spi::run_due(engine.locks), time_point::max());
  engine.time->set(at(3s));
  static_cast<void>(spi::run_due(engine.locks));
  EXPECT_EQ(engine.script->renewals, 0);
}

TEST(keeper, RENEW_5_failed_renewals_are_repeated_until_one_succeeds) {
  fake_engine const engine;
  int failures = 4;
  engine.script->renew = [&](std::string const&) -> spi::task<result<duration>> {
    if (--failures >= 0) co_return errc::unavailable;
    co_return duration(9s);
  };
  auto const held = engine.locks.acquire("x", {.ttl = 9s});
  auto const before = held.deadline();
  for (auto next = spi::run_due(engine.locks); failures >= 0; next = spi::run_due(engine.locks)) {
    ASSERT_LT(next, before);
    engine.time->set(next);
    ASSERT_TRUE(held.held());
  }
  EXPECT_GT(held.deadline(), before);
}

TEST(keeper, RENEW_2_a_renewal_answered_lost_is_final) {
  fake_engine const engine;
  engine.script->renew = [](std::string const&) -> spi::task<result<duration>> { co_return errc::lost; };
  auto held = engine.locks.acquire("x", {.ttl = 9s});
  engine.time->set(at(3s));
  static_cast<void>(spi::run_due(engine.locks));
  EXPECT_FALSE(held.held());
  EXPECT_EQ(held.error(), errc::lost);
  engine.script->renew = nullptr;
  std::error_code ec;
  held.renew(ec);
  EXPECT_EQ(ec, errc::lost);
  EXPECT_FALSE(held.held());
}

/// One lease whose renewal hangs until the gate opens, and a thread that carries out what is due until told to end.
class hanging_renewal : public testing::Test {
 protected:
  hanging_renewal() {
    engine.script->renew = [this](std::string const& name) -> spi::task<result<duration>> {
      if (name == "slow" && !co_await stuck.pass()) co_return errc::cancelled;
      co_return duration(9s);
    };
  }
  ~hanging_renewal() override { finish(); }
  /// Needed before a lease ends whose renewal hangs: a release waits for it.
  void finish() {
    stuck.open();
    if (worker.joinable()) worker.join();
  }
  /// The renewal of "slow" is under way when this returns.
  void let_it_hang() {
    worker = std::thread([this] {
      static_cast<void>(spi::run_due(engine.locks));
      ended = true;
    });
    stuck.await_arrivals(1);
  }
  /// Time goes on in small steps, never faster than the worker looks at it.
  void advance_until_it_ends() {
    while (!ended) {
      auto const before = engine.time->looks();
      engine.time->advance(10ms);
      while (!ended && engine.time->looks() <= before + 1) std::this_thread::yield();
    }
    worker.join();
  }
  /// Returns when `lost` is stopped; the keeper needs to be told of the time again and again as it moves on by itself.
  void await_stop(std::stop_token const& lost) {
    std::atomic<bool> told{false};
    std::stop_callback const tell(lost, [&] {
      told = true;
      told.notify_all();
    });
    told.wait(false);
  }

  gate stuck;
  fake_engine engine;
  std::thread worker;
  std::atomic<bool> ended{false};
};

TEST_F(hanging_renewal, RENEW_6_the_deadline_of_another_lease_is_told_on_time) {
  auto const slow = engine.locks.acquire("slow", {.ttl = 9s});
  auto const other = engine.locks.acquire("other", {.ttl = 4s, .renew = renewal::manual});
  engine.time->set(at(3s));
  let_it_hang();
  engine.time->set(other.deadline());
  await_stop(other.lost());
  EXPECT_TRUE(slow.held());
  EXPECT_EQ(engine.script->renewals, 1) << "the slow one is still under way";
  finish();
}

TEST_F(hanging_renewal, RENEW_6_its_own_deadline_is_told_on_time) {
  auto const slow = engine.locks.acquire("slow", {.ttl = 9s, .max_hold = 4s});
  engine.time->set(at(3s));
  static_cast<void>(spi::run_due(engine.locks));  // nothing to renew: max_hold comes first
  EXPECT_EQ(engine.script->renewals, 0);
  auto const forever = engine.locks.acquire("slow", {.ttl = 2s});
  engine.time->set(at(3700ms));
  let_it_hang();
  engine.time->set(forever.deadline());
  await_stop(forever.lost());
  EXPECT_FALSE(forever.held());
  finish();
}

TEST_F(hanging_renewal, RENEW_6_a_request_is_given_up_on_after_a_quarter_of_the_ttl) {
  auto const slow = engine.locks.acquire("slow", {.ttl = 8s});
  engine.time->set(at(2667ms));
  let_it_hang();
  advance_until_it_ends();
  EXPECT_GE(engine.time->now(), at(2667ms + 2s));
  EXPECT_LT(engine.time->now(), at(2667ms + 2s + 200ms));
  EXPECT_TRUE(slow.held());
  EXPECT_LT(spi::run_due(engine.locks), slow.deadline()) << "it is tried again";
}

TEST_F(hanging_renewal, RENEW_6_another_lease_is_renewed_in_time) {
  auto const slow = engine.locks.acquire("slow", {.ttl = 60s});
  engine.time->set(at(19s));
  auto const other = engine.locks.acquire("other", {.ttl = 4s});
  engine.time->set(at(20s));
  let_it_hang();
  advance_until_it_ends();
  EXPECT_LT(engine.time->now(), at(22s)) << "due at 20.3 s, and put off by no more than a quarter of its TTL";
  while (engine.script->renewals < 2 && other.held()) engine.time->set(spi::run_due(engine.locks));
  EXPECT_TRUE(other.held());
  EXPECT_TRUE(slow.held());
  finish();
}

TEST_F(hanging_renewal, RENEW_4_a_reply_after_the_deadline_does_not_bring_it_back) {
  auto slow = engine.locks.acquire("slow", {.ttl = 9s, .renew = renewal::manual});
  engine.time->set(at(8s));
  std::error_code ec;
  worker = std::thread([&] { slow.renew(ec); });
  stuck.await_arrivals(1);
  engine.time->set(slow.deadline());
  stuck.open();
  worker.join();
  EXPECT_EQ(ec, errc::lost);
  EXPECT_FALSE(slow.held());
}

TEST_F(hanging_renewal, RENEW_6_a_release_waits_no_longer_than_the_renewal_may_take) {
  auto slow = engine.locks.acquire("slow", {.ttl = 8s});
  engine.time->set(at(2667ms));
  let_it_hang();
  std::thread releasing([&] { slow.release(); });
  engine.time->set(at(4667ms));
  releasing.join();
  EXPECT_FALSE(slow.held());
  EXPECT_EQ(engine.script->withdrawals, 1);
}

}  // namespace
}  // namespace leasehold::test
