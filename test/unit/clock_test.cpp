// Decides whether the machine's clocks can mislead a lease: suspended, set by somebody, or not told apart by a sandbox.
#include "unit/stepped_clock.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <future>
#include <string>
#include <thread>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

/// On the engines that keep real time.
class real_clock : public testing::TestWithParam<char const*> {
 protected:
  real_clock() {
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-clock-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    folder_ = pattern;
    auto const is_local = std::string_view(GetParam()) == "local";
    url_ = is_local ? "local:" + pattern + "/store" : "mem:" + folder_.filename().string();
    locks = open(url_);
  }
  ~real_clock() override {
    locks.close(1s);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  /// How long that takes, by the one clock that no test here sets; half a minute at most.
  template <class Condition>
  static duration time_until(Condition const& holds) {
    auto const begun = std::chrono::steady_clock::now();
    while (!holds() && std::chrono::steady_clock::now() - begun < 30s) std::this_thread::yield();
    return std::chrono::steady_clock::now() - begun;
  }
  std::future<lease> acquire_elsewhere(std::string const& name, acquire_options const& options) {
    return std::async(std::launch::async, [=, on = locks] {
      std::error_code ignored;
      return on.acquire(name, options, {}, ignored);
    });
  }
  bool await_waiters(std::string const& name, std::size_t count) {
    return time_until([&] { return locks.inspect(name).waiters.size() == count; }) < 30s;
  }
  static bool is_done(std::future<lease> const& what) { return what.wait_for(0s) == std::future_status::ready; }

  stepped_clocks clocks;
  std::string url_;
  store locks;

 private:
  std::filesystem::path folder_;
};

TEST_P(real_clock, CLOCK_2_a_machine_that_slept_past_the_deadline_wakes_to_a_lost_lease) {
  auto const held = locks.acquire("x", {.ttl = 1h, .renew = renewal::manual});
  auto const kept = locks.acquire("y", {.ttl = 3h, .renew = renewal::manual});
  clocks.suspend(2h);
  EXPECT_FALSE(held.held()) << "the first look after waking";
  EXPECT_TRUE(kept.held());
  EXPECT_LT(kept.remaining(), 1h);
  EXPECT_TRUE(locks.try_acquire("x", {.ttl = 1h})) << "to the engine, too, the time has passed";
  EXPECT_FALSE(locks.try_acquire("y", {.ttl = 1h}));
}

TEST_P(real_clock, CLOCK_2_what_slept_with_the_machine_finds_out_that_its_time_has_come) {
  auto const held = locks.acquire("x", {.ttl = 1h, .renew = renewal::manual});
  auto next = acquire_elsewhere("x", {.ttl = 5h});
  ASSERT_TRUE(await_waiters("x", 1));
  auto given_up = acquire_elsewhere("x", {.ttl = 5h, .wait = 2h - 1min});
  ASSERT_TRUE(await_waiters("x", 2));
  clocks.suspend(2h);
  EXPECT_LT(time_until([&] { return held.lost().stop_requested(); }), 20s) << "the keeper";
  EXPECT_LT(time_until([&] { return is_done(next) && is_done(given_up); }), 20s) << "a waiter";
  EXPECT_TRUE(next.get());
  EXPECT_FALSE(given_up.get());
}

TEST_P(real_clock, CLOCK_5_a_wall_clock_that_is_set_ends_no_lease_and_prolongs_none) {
  auto const held = locks.acquire("x", {.ttl = 30min, .renew = renewal::manual});
  auto const deadline = held.deadline();
  std::uint64_t token = 0;
  for (auto const step : {-1h, 2h, -24h * 365, 24h * 730, -24h * 365}) {
    clocks.step_wall_clock(step);
    EXPECT_TRUE(held.held());
    EXPECT_EQ(held.deadline(), deadline);
    EXPECT_FALSE(locks.try_acquire("x", {.ttl = 1h}));
    auto other = locks.try_acquire("y", {.ttl = 1h});
    ASSERT_TRUE(other);
    EXPECT_GT(other->token(), token) << "tokens grow whatever the wall clock says";
    token = other->token();
  }
  clocks.suspend(1h);
  EXPECT_FALSE(held.held());
  EXPECT_TRUE(locks.try_acquire("x", {.ttl = 1h}));
}

TEST_P(real_clock, CLOCK_7_no_wait_sleeps_by_the_wall_clock) {
  for (auto const step : {-24h, 48h}) {
    clocks.step_wall_clock(step);
    auto const renewed = locks.acquire("renewed", {.ttl = 900ms});
    auto const lost = locks.acquire("lost", {.ttl = 300ms, .renew = renewal::manual});
    EXPECT_LT(time_until([&] { return lost.lost().stop_requested(); }), 20s) << "the keeper slept for a deadline";
    EXPECT_FALSE(lost.held());
    auto waiting = acquire_elsewhere("renewed", {.ttl = 1s, .wait = 1500ms});
    EXPECT_GE(time_until([&] { return is_done(waiting); }), 1400ms) << "a wait in line";
    EXPECT_FALSE(waiting.get());
    EXPECT_TRUE(renewed.held()) << "the keeper slept for a renewal";
    EXPECT_FALSE(mutex(locks, "renewed").try_lock_for(50ms));
    EXPECT_LT(time_until([&] { return open(url_).close(20s); }), 19s);
  }
}

TEST_P(real_clock, CLOCK_7_the_wall_clock_set_during_a_wait_changes_nothing) {
  auto const held = locks.acquire("x", {.ttl = 2s, .renew = renewal::manual});
  auto next = acquire_elsewhere("x", {.ttl = 1s, .wait = 30s});
  ASSERT_TRUE(await_waiters("x", 1));
  clocks.step_wall_clock(-24h);
  EXPECT_TRUE(held.held());
  EXPECT_LT(time_until([&] { return is_done(next); }), 20s);
  auto const got = next.get();
  ASSERT_TRUE(got);
  EXPECT_GE(got.acquired_at(), held.deadline());
}

INSTANTIATE_TEST_SUITE_P(engines, real_clock, testing::Values("local", "mem"),
                         [](auto const& which) { return std::string(which.param); });

class health_of_clocks : public real_clock {
 protected:
  [[nodiscard]] std::string told() const {
    auto const all = locks.diagnose();
    auto const at = std::ranges::find(all, "local/clock", &finding::id);
    return at != all.end() ? at->text : "nothing";
  }
};

TEST_P(health_of_clocks, CLOCK_10_it_is_said_when_boottime_and_monotonic_are_one) {
  clocks.suspend(1h);
  EXPECT_NE(told().find("counts suspended time"), std::string::npos) << told();
  clocks.make_boottime_monotonic();
  clocks.suspend(-1h);
  EXPECT_NE(told().find("a sandbox that cannot tell"), std::string::npos) << told();
}

INSTANTIATE_TEST_SUITE_P(engines, health_of_clocks, testing::Values("local"),
                         [](auto const& which) { return std::string(which.param); });

}  // namespace
}  // namespace leasehold::test
