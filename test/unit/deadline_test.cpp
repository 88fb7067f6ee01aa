// Decides whether deadlines, pauses and their limits are computed without overflow and on the safe side.
#include "model/deadline.hpp"
#include "model/backoff.hpp"
#include "unit/moments.hpp"

#include <gtest/gtest.h>

namespace leasehold::test {
namespace {

using namespace model;

constexpr auto end_of_time = time_point::max();

TEST(deadline, CLOCK_6_a_clock_that_is_one_percent_slow_still_loses_before_the_engine) {
  for (auto const ttl : {duration(50ms), duration(1s), duration(15s), duration(24h)}) {
    auto const believed = deadline_of(origin, ttl) - origin;
    auto const real = believed * 101 / 100;  // what the engine's clock has counted meanwhile
    EXPECT_LE(real + timer_slack, ttl + ttl / 10'000) << ttl.count();
    EXPECT_LT(believed, ttl);
  }
}

TEST(deadline, CLOCK_6_the_margin_is_the_rate_error_and_the_slack) {
  EXPECT_EQ(margin_for(10s), 100ms + timer_slack);
  EXPECT_EQ(margin_for(0s), timer_slack);
  EXPECT_LT(margin_for(duration::max()), duration::max());
}

TEST(deadline, an_absent_ttl_has_no_deadline) { EXPECT_EQ(deadline_of(origin, std::nullopt), end_of_time); }

TEST(deadline, RENEW_9_a_ttl_within_its_margin_is_useless_at_once) {
  EXPECT_EQ(deadline_of(origin, 0s), origin);
  EXPECT_EQ(deadline_of(origin, -5s), origin);
  EXPECT_EQ(deadline_of(origin, timer_slack), origin);
  EXPECT_GT(deadline_of(origin, 6ms), origin);
}

TEST(deadline, RENEW_9_deadlines_saturate) {
  EXPECT_EQ(deadline_of(end_of_time - 1s, 10s), end_of_time);
  EXPECT_LT(deadline_of(time_point{}, duration::max()), end_of_time);
  EXPECT_EQ(deadline_of(end_of_time, duration::max()), end_of_time);
}

TEST(deadline, RENEW_9_adding_saturates) {
  EXPECT_EQ(after(origin, duration::max()), end_of_time);
  EXPECT_EQ(after(end_of_time, 0s), end_of_time);
  EXPECT_EQ(after(end_of_time - 2s, 1s), end_of_time - 1s);
  EXPECT_EQ(after(origin, -1s), origin - 1s);
}

TEST(deadline, RENEW_9_a_renewal_of_the_longest_ttl_is_due_in_the_future) {
  EXPECT_GT(renewal_due(origin, duration::max()), origin);
  EXPECT_EQ(renewal_due(end_of_time - 1s, 1h), end_of_time);
}

TEST(deadline, RENEW_5_a_retry_comes_soon_but_never_at_once_and_never_after_the_deadline) {
  EXPECT_EQ(retry_due(at(0s), at(1h), 12s), at(1s));
  EXPECT_EQ(retry_due(at(0s), at(1h), 1200ms), at(100ms));
  EXPECT_EQ(retry_due(at(0s), at(1h), 0s), at(1ms));
  EXPECT_EQ(retry_due(at(0s), at(1h), 24h), at(1s));
  EXPECT_EQ(retry_due(at(0s), at(300ms), 12s), at(300ms));
}

TEST(deadline, RENEW_6_a_request_takes_no_more_than_a_quarter_of_the_ttl) {
  EXPECT_EQ(op_timeout_for(std::nullopt, 8s), 2s);
  EXPECT_EQ(op_timeout_for(std::nullopt, 24h), op_timeout_max);
  EXPECT_EQ(op_timeout_for(std::nullopt, std::nullopt), op_timeout_max);
  EXPECT_EQ(op_timeout_for(300ms, 8s), 300ms);
}

TEST(backoff, doubles_from_two_milliseconds_and_stops_at_half_a_second) {
  EXPECT_EQ(backoff(0), 2ms);
  EXPECT_EQ(backoff(1), 4ms);
  EXPECT_EQ(backoff(8), 512ms);
  for (int const many : {9, 31, 32, 63, 1000, std::numeric_limits<int>::max()}) EXPECT_EQ(backoff(many), 512ms);
  EXPECT_EQ(backoff(-1), 2ms);
}

TEST(backoff, WAIT_3_jitter_shortens_by_a_quarter_at_most) {
  constexpr duration span = 1s;
  EXPECT_EQ(jittered(span, 0), span);
  for (double jitter = 0; jitter < 1; jitter += 1.0 / 64) {
    auto const d = jittered(span, jitter);
    EXPECT_LE(d, span);
    EXPECT_GT(d, span * 3 / 4 - 1ns);
  }
  EXPECT_GT(jittered(duration::max(), 0.999), duration::zero());
}

}  // namespace
}  // namespace leasehold::test
