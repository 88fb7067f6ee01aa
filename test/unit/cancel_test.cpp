// Decides whether an acquire that is stopped at any of its await points leaves anything behind.
#include "unit/fake_engine.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stop_token>
#include <thread>

namespace leasehold::test {
namespace {

/// An engine whose every verb awaits before and after it takes effect. Requests stop at the await point number `stop_at`.
/// REQUIRES: one contender at a time.
struct stepping_engine {
  int stop_at = 0;          ///< 1 is the first
  int refusals = 0;         ///< this many attempts are refused first
  bool tells_truth = true;  ///< a stopped attempt says `cancelled`; else `outcome_unknown`
  int points = 0;
  int withdrawals = 0;
  bool holds = false;
  bool waits = false;
  std::stop_source stop;

  spi::task<bool> pass() {
    if (++points == stop_at) stop.request_stop();
    spi::wait_request soon{};
    soon.until = time_point{};
    co_return co_await spi::wait_on(soon) != spi::wake::stopped;
  }
  spi::task<result<spi::answer>> attempt() {
    auto const stopped = tells_truth ? errc::cancelled : errc::outcome_unknown;
    if (!co_await pass()) co_return stopped;
    bool const refuse = refusals > 0;
    if (refuse) --refusals;
    (refuse ? waits : holds) = true;
    if (!co_await pass()) co_return stopped;
    if (!co_await pass()) co_return stopped;
    if (refuse) co_return result<spi::answer>(spi::busy{1ns, 1U, nullptr});
    co_return result<spi::answer>(spi::granted{std::nullopt, 1U});
  }
  spi::task<result<void>> withdraw() {
    EXPECT_TRUE(co_await pass()) << "cleanup is not stopped";
    EXPECT_TRUE(co_await pass()) << "cleanup is not stopped";
    holds = waits = false;
    ++withdrawals;
    co_return result<void>();
  }
};

struct outcome {
  bool acquired;
  int points;
  std::error_code why;
};

/// One acquire against a fresh engine that stops at the `stop_at`th await point.
outcome acquire_with(stepping_engine& steps) {
  fake_engine const engine;
  engine.script->attempt = [&](bool) { return steps.attempt(); };
  engine.script->withdraw = [&](duration) { return steps.withdraw(); };
  std::error_code ec;
  bool acquired = false;
  {
    // Time moves, so that pauses between attempts end.
    std::jthread mover([&](std::stop_token const& end) {
      while (!end.stop_requested()) engine.time->advance(1s);
    });
    auto const held = engine.locks.acquire("x", {}, steps.stop.get_token(), ec);
    mover.request_stop();
    mover.join();  // or the release at the end would time out
    acquired = static_cast<bool>(held);
    EXPECT_EQ(acquired, !ec);
    EXPECT_EQ(steps.holds, acquired) << "stopped at " << steps.stop_at;
    if (acquired) {
      EXPECT_EQ(steps.withdrawals, 0);
    } else {
      EXPECT_FALSE(steps.waits) << "stopped at " << steps.stop_at;
    }
  }
  return {acquired, steps.points, ec};
}

void stop_everywhere(int refusals, bool tells_truth) {
  stepping_engine undisturbed;
  undisturbed.refusals = refusals;
  ASSERT_TRUE(acquire_with(undisturbed).acquired);
  EXPECT_FALSE(undisturbed.holds) << "released by the lease";
  int const points = 3 * (refusals + 1);
  for (int stop_at = 1; stop_at <= points; ++stop_at) {
    stepping_engine steps;
    steps.stop_at = stop_at;
    steps.refusals = refusals;
    steps.tells_truth = tells_truth;
    auto const end = acquire_with(steps);
    EXPECT_FALSE(end.acquired) << stop_at;
    EXPECT_EQ(end.why, errc::cancelled) << stop_at;
    if (tells_truth) {
      EXPECT_EQ(steps.withdrawals, 1) << stop_at;
    } else {
      EXPECT_GE(steps.withdrawals, 1) << stop_at;
    }
  }
}

TEST(cancel, CANCEL_1_a_stop_at_every_await_point_leaves_nothing_and_withdraws_once) { stop_everywhere(0, true); }

TEST(cancel, CANCEL_1_a_stop_at_every_await_point_of_a_wait_leaves_nothing_and_withdraws_once) {
  stop_everywhere(2, true);
}

TEST(cancel, CANCEL_1_CONN_2_a_stop_with_unknown_outcome_leaves_nothing) { stop_everywhere(2, false); }

TEST(cancel, CANCEL_1_a_stop_before_the_call_asks_nothing) {
  fake_engine const engine;
  std::stop_source stop;
  stop.request_stop();
  std::error_code ec;
  EXPECT_FALSE(engine.locks.acquire("x", {}, stop.get_token(), ec));
  EXPECT_EQ(ec, errc::cancelled);
  EXPECT_EQ(engine.script->attempts, 0);
}

TEST(cancel, CANCEL_4_a_stop_after_the_grant_changes_nothing) {
  fake_engine const engine;
  std::stop_source stop;
  engine.script->attempt = [&](bool) -> spi::task<result<spi::answer>> {
    stop.request_stop();
    co_return result<spi::answer>(spi::granted{std::nullopt, 7U});
  };
  auto const held = engine.locks.acquire("x", {}, stop.get_token());
  EXPECT_TRUE(held.held());
  EXPECT_EQ(held.token(), 7U);
  EXPECT_EQ(engine.script->withdrawals, 0);
}

TEST(cancel, RENEW_1_CONN_2_a_grant_that_came_too_late_is_given_back_before_the_next_try) {
  fake_engine const engine;
  int asked = 0;
  engine.script->attempt = [&](bool) -> spi::task<result<spi::answer>> {
    EXPECT_EQ(engine.script->withdrawals, asked);
    if (++asked == 1) engine.time->advance(2s);  // the reply takes longer than the lease
    co_return result<spi::answer>(spi::granted{1s, static_cast<std::uint64_t>(asked)});
  };
  std::jthread const mover([&](std::stop_token const& end) {
    while (!end.stop_requested()) engine.time->advance(1us);
  });
  auto const held = engine.locks.acquire("x", {.ttl = 1s});
  EXPECT_EQ(held.token(), 2U);
  EXPECT_EQ(engine.script->withdrawals, 1);
}

}  // namespace
}  // namespace leasehold::test
