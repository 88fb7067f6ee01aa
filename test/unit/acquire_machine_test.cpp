// Decides whether the acquire machine answers every input with the right next action.
#include "model/acquire_machine.hpp"
#include "model/deadline.hpp"
#include "unit/moments.hpp"

#include <gtest/gtest.h>

namespace leasehold::test {
namespace {

using model::acquire_action;
using model::acquire_machine;

std::error_code code(errc e) { return make_error_code(e); }

/// A machine that has asked at the origin.
acquire_machine asking(std::optional<duration> wait) {
  acquire_machine m(wait);
  m.start(at(0s));
  return m;
}

TEST(acquire_machine, a_wait_asks_for_a_place_in_line) {
  EXPECT_EQ(acquire_machine(std::nullopt).start(at(0s)).what, acquire_action::attempt);
  EXPECT_EQ(acquire_machine(1ns).start(at(0s)).what, acquire_action::attempt);
}

TEST(acquire_machine, WAIT_9_zero_wait_is_one_try_that_leaves_nothing) {
  acquire_machine m(0s);
  EXPECT_EQ(m.start(at(0s)).what, acquire_action::attempt_once);
  auto const end = m.refused(at(0s), 10ms);
  EXPECT_EQ(end.what, acquire_action::fail);
  EXPECT_EQ(end.why, errc::timed_out);
}

TEST(acquire_machine, a_negative_wait_is_one_try_too) {
  EXPECT_EQ(acquire_machine(-1s).start(at(0s)).what, acquire_action::attempt_once);
}

TEST(acquire_machine, RENEW_1_a_grant_within_its_deadline_is_taken) {
  auto m = asking(10s);
  EXPECT_EQ(m.granted(at(1s), at(1s) + 1ns).what, acquire_action::take);
}

TEST(acquire_machine, RENEW_1_a_grant_past_its_deadline_is_given_back_and_asked_again) {
  auto m = asking(10s);
  EXPECT_EQ(m.granted(at(2s), at(2s)).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(3s)).what, acquire_action::sleep);
  EXPECT_EQ(m.woke(at(4s), false).what, acquire_action::attempt);
}

TEST(acquire_machine, WAIT_5_a_late_grant_at_the_end_of_the_wait_is_given_back) {
  auto m = asking(10s);
  EXPECT_EQ(m.granted(at(10s), at(9s)).what, acquire_action::withdraw);
  auto const end = m.withdrawn(at(11s));
  EXPECT_EQ(end.what, acquire_action::fail);
  EXPECT_EQ(end.why, errc::timed_out);
}

TEST(acquire_machine, WAIT_5_a_good_grant_after_the_wait_is_still_taken) {
  auto m = asking(1s);
  EXPECT_EQ(m.granted(at(2s), at(20s)).what, acquire_action::take);
}

TEST(acquire_machine, WAIT_5_a_late_grant_of_a_single_try_is_given_back_and_fails) {
  auto m = asking(0s);
  EXPECT_EQ(m.granted(at(2s), at(2s)).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(2s)).why, errc::timed_out);
}

TEST(acquire_machine, WAIT_1_a_refusal_sleeps_no_longer_than_a_poll) {
  auto m = asking(std::nullopt);
  auto const unhinted = m.refused(at(0s), 0s);
  EXPECT_EQ(unhinted.what, acquire_action::sleep);
  EXPECT_EQ(unhinted.until, at(model::poll_max));
  m.woke(at(1s), false);
  EXPECT_EQ(m.refused(at(1s), 1h).until, at(1s + model::poll_max));
  m.woke(at(2s), false);
  EXPECT_EQ(m.refused(at(2s), 30ms).until, at(2s + 30ms));
}

TEST(acquire_machine, WAIT_9_no_sleep_goes_past_the_end_of_the_wait) {
  auto m = asking(300ms);
  EXPECT_EQ(m.refused(at(0s), 0s).until, at(300ms));
}

TEST(acquire_machine, polls_of_many_waiters_are_spread_but_never_later) {
  auto early = asking(std::nullopt);
  early.spread(0.999);
  auto const until = early.refused(at(0s), 0s).until;
  EXPECT_LT(until, at(751ms));
  EXPECT_GE(until, at(750ms));
}

TEST(acquire_machine, WAIT_9_a_refusal_at_the_end_of_the_wait_gives_up) {
  auto m = asking(1s);
  EXPECT_EQ(m.refused(at(1s), 10ms).what, acquire_action::withdraw);
  auto const end = m.withdrawn(at(1s));
  EXPECT_EQ(end.what, acquire_action::fail);
  EXPECT_EQ(end.why, errc::timed_out);
}

TEST(acquire_machine, WAIT_9_waking_at_the_end_of_the_wait_gives_up) {
  auto m = asking(1s);
  m.refused(at(0s), 0s);
  EXPECT_EQ(m.woke(at(1s), false).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(1s)).why, errc::timed_out);
}

TEST(acquire_machine, WAIT_10_a_spurious_wake_asks_again) {
  auto m = asking(1s);
  m.refused(at(0s), 0s);
  EXPECT_EQ(m.woke(at(1ms), false).what, acquire_action::attempt);
}

TEST(acquire_machine, CANCEL_1_a_stop_while_asleep_withdraws_then_fails) {
  auto m = asking(1s);
  m.refused(at(0s), 0s);
  EXPECT_EQ(m.woke(at(1ms), true).what, acquire_action::withdraw);
  auto const end = m.withdrawn(at(2ms));
  EXPECT_EQ(end.what, acquire_action::fail);
  EXPECT_EQ(end.why, errc::cancelled);
}

TEST(acquire_machine, CANCEL_1_a_stop_outranks_the_end_of_the_wait) {
  auto m = asking(1s);
  m.refused(at(0s), 0s);
  m.woke(at(1s), true);
  EXPECT_EQ(m.withdrawn(at(1s)).why, errc::cancelled);
}

TEST(acquire_machine, CANCEL_1_a_cancelled_request_withdraws_then_fails) {
  auto m = asking(std::nullopt);
  EXPECT_EQ(m.failed(at(1s), code(errc::cancelled), 0s).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(1s)).why, errc::cancelled);
}

TEST(acquire_machine, CONN_2_after_an_unknown_outcome_it_withdraws_before_it_asks_again) {
  auto m = asking(10s);
  EXPECT_EQ(m.failed(at(1s), code(errc::outcome_unknown), 0s).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(1s)).what, acquire_action::sleep);
  EXPECT_EQ(m.woke(at(2s), false).what, acquire_action::attempt);
}

TEST(acquire_machine, CONN_2_an_unknown_outcome_of_a_single_try_is_withdrawn_and_told) {
  auto m = asking(0s);
  EXPECT_EQ(m.failed(at(1s), code(errc::outcome_unknown), 0s).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(1s)).why, errc::outcome_unknown);
}

TEST(acquire_machine, CONN_2_an_unknown_outcome_at_the_end_of_the_wait_is_told) {
  auto m = asking(1s);
  m.failed(at(1s), code(errc::outcome_unknown), 0s);
  EXPECT_EQ(m.withdrawn(at(1s)).why, errc::outcome_unknown);
}

TEST(acquire_machine, CONN_2_a_wait_that_ends_during_the_withdrawal_times_out) {
  auto m = asking(1s);
  m.failed(at(0s), code(errc::outcome_unknown), 0s);
  EXPECT_EQ(m.withdrawn(at(1s)).why, errc::timed_out);
}

TEST(acquire_machine, unavailable_before_the_first_answer_is_told_at_once) {
  auto m = asking(std::nullopt);
  EXPECT_EQ(m.failed(at(0s), code(errc::unavailable), 0s).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(0s)).why, errc::unavailable);
}

TEST(acquire_machine, unavailable_after_the_first_answer_is_waited_out) {
  auto m = asking(std::nullopt);
  m.refused(at(0s), 0s);
  m.woke(at(1s), false);
  EXPECT_EQ(m.failed(at(1s), code(errc::unavailable), 0s).what, acquire_action::sleep);
  EXPECT_EQ(m.woke(at(2s), false).what, acquire_action::attempt);
  EXPECT_EQ(m.granted(at(3s), at(9s)).what, acquire_action::take);
}

TEST(acquire_machine, unavailable_at_the_end_of_the_wait_is_told) {
  auto m = asking(2s);
  m.refused(at(0s), 0s);
  m.woke(at(1s), false);
  EXPECT_EQ(m.failed(at(2s), code(errc::unavailable), 0s).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(2s)).why, errc::unavailable);
}

TEST(acquire_machine, probation_is_waited_out_even_before_the_first_answer) {
  auto m = asking(10s);
  auto const step = m.failed(at(0s), code(errc::probation), 700ms);
  EXPECT_EQ(step.what, acquire_action::sleep);
  EXPECT_EQ(step.until, at(700ms));
  EXPECT_EQ(m.woke(at(700ms), false).what, acquire_action::attempt);
}

TEST(acquire_machine, probation_of_a_single_try_is_told) {
  auto m = asking(0s);
  EXPECT_EQ(m.failed(at(0s), code(errc::probation), 5s).what, acquire_action::withdraw);
  EXPECT_EQ(m.withdrawn(at(0s)).why, errc::probation);
}

TEST(acquire_machine, errors_that_time_does_not_mend_end_it) {
  for (auto const e : {errc::auth, errc::misconfigured, errc::mode_mismatch, errc::unsupported, errc::internal}) {
    auto m = asking(std::nullopt);
    m.refused(at(0s), 0s);
    m.woke(at(1s), false);
    EXPECT_EQ(m.failed(at(1s), code(e), 0s).what, acquire_action::withdraw) << code(e).message();
    EXPECT_EQ(m.withdrawn(at(1s)).why, e);
  }
}

TEST(acquire_machine, repeated_failures_back_off_up_to_half_a_second_and_an_answer_resets_that) {
  auto m = asking(std::nullopt);
  m.refused(at(0s), 0s);
  m.woke(at(0s), false);
  duration pause{};
  for (int i = 0; i < 12; ++i) {
    auto const step = m.failed(at(0s), code(errc::unavailable), 0s);
    auto const next = step.until - at(0s);
    EXPECT_GE(next, pause);
    EXPECT_LE(next, 512ms);
    pause = next;
    m.woke(at(0s), false);
  }
  EXPECT_EQ(pause, 512ms);
  m.refused(at(0s), 0s);
  m.woke(at(0s), false);
  EXPECT_EQ(m.failed(at(0s), code(errc::unavailable), 0s).until, at(2ms));
}

TEST(acquire_machine, CLOCK_6_an_unbounded_wait_does_not_overflow) {
  auto m = asking(duration::max());
  EXPECT_EQ(m.refused(at(0s), duration::max()).until, at(model::poll_max));
  EXPECT_EQ(m.woke(time_point::max() - 1ns, false).what, acquire_action::attempt);
}

TEST(acquire_machine_death_test, an_answer_that_nobody_asked_for_ends_the_process) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  auto m = asking(1s);
  m.refused(at(0s), 0s);
  EXPECT_DEATH(m.granted(at(0s), at(9s)), "invariant broken");
  EXPECT_DEATH(m.withdrawn(at(0s)), "invariant broken");
  EXPECT_DEATH(m.start(at(0s)), "invariant broken");
}

}  // namespace
}  // namespace leasehold::test
