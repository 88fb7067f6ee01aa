// Decides whether a job is told to stop and killed when it must be, by the supervisor and, should that be silent, by the front.
#include "run/stop_plan.hpp"

#include <gtest/gtest.h>

namespace leasehold::test {
namespace {

using namespace cli;
using namespace std::chrono_literals;

constexpr time_point start{1000s};

stop_plan with_ttl(duration ttl, on_lost policy = on_lost::term) {
  stop_plan plan{policy, 5s};
  plan.set_deadline(start + ttl, ttl);
  return plan;
}

TEST(stop_plan, RUN_3_term_a_third_of_the_ttl_before_the_deadline_and_kill_a_fifteenth) {
  auto plan = with_ttl(3s);
  EXPECT_EQ(plan.next(start + 1999ms), stop_action::none);
  EXPECT_EQ(plan.next(start + 2s), stop_action::term);
  EXPECT_EQ(plan.next(start + 2799ms), stop_action::none);
  EXPECT_EQ(plan.next(start + 2800ms), stop_action::kill);
  EXPECT_EQ(plan.next(start + 10s), stop_action::none);
  EXPECT_EQ(plan.reason(), stop_reason::lease_lost);
}

TEST(stop_plan, OWN_10_an_evicted_job_without_a_ttl_is_killed_within_the_lock_delay) {
  for (auto const kill_after : {duration(100ms), duration(5s), duration(1h)}) {
    stop_plan plan{on_lost::term, kill_after};
    plan.lost(start);
    EXPECT_EQ(plan.next(start), stop_action::term);
    EXPECT_EQ(plan.wake_at(start), start + std::min(kill_after, evicted_patience));
    EXPECT_EQ(plan.next(plan.wake_at(start)), stop_action::kill);
  }
  EXPECT_LE(evicted_patience + 500ms, lock_delay) << "room for the news to arrive and for the group to die";
}

TEST(stop_plan, OWN_10_an_evicted_job_with_a_ttl_has_until_its_deadline_but_not_long) {
  auto brief = with_ttl(3s);
  brief.lost(start + 1s);
  EXPECT_EQ(brief.next(start + 1s), stop_action::term);
  EXPECT_EQ(brief.wake_at(start + 1s), start + 2800ms);
  auto ample = with_ttl(10min);
  ample.lost(start);
  EXPECT_EQ(ample.next(start), stop_action::term);
  EXPECT_EQ(ample.wake_at(start), start + 5s);
  auto late = with_ttl(3s);
  late.lost(start + 3s);  // it expired: nothing keeps the name
  EXPECT_EQ(late.next(start + 3s), stop_action::kill);
}

TEST(stop_plan, RUN_9_the_front_steps_in_between_the_supervisors_steps_and_the_deadline) {
  for (auto const ttl : {duration(100ms), duration(1s), duration(15s), duration(10min)}) {
    auto const plan = with_ttl(ttl);
    auto const limits = stop_plan::limits_for(ttl);
    auto const left = plan.if_silent();
    EXPECT_GT(left.term_at, start + ttl - limits.grace);
    EXPECT_LT(left.term_at, start + ttl - limits.margin);
    EXPECT_GT(left.kill_at, start + ttl - limits.margin);
    EXPECT_LT(left.kill_at, start + ttl);
  }
}

TEST(stop_plan, RUN_9_orders_come_due_in_turn) {
  auto left = with_ttl(15s).if_silent();
  EXPECT_EQ(left.wake_at(), left.term_at);
  EXPECT_EQ(left.due(left.term_at - 1ns), stop_action::none);
  EXPECT_EQ(left.due(left.term_at), stop_action::term);
  left.term_at = time_point::max();
  EXPECT_EQ(left.wake_at(), left.kill_at);
  EXPECT_EQ(left.due(left.kill_at - 1ns), stop_action::none);
  EXPECT_EQ(left.due(left.kill_at), stop_action::kill);
}

TEST(stop_plan, RUN_9_what_the_supervisor_has_done_is_not_done_again) {
  auto plan = with_ttl(15s);
  ASSERT_EQ(plan.next(start + 10s), stop_action::term);
  EXPECT_EQ(plan.if_silent().term_at, time_point::max());
  EXPECT_EQ(plan.if_silent().kill_at, start + 14500ms);
  ASSERT_EQ(plan.next(start + 14s), stop_action::kill);
  EXPECT_EQ(plan.if_silent().wake_at(), time_point::max());
}

TEST(stop_plan, RUN_9_the_policy_binds_the_front_too) {
  auto const kill = with_ttl(15s, on_lost::kill).if_silent();
  EXPECT_EQ(kill.term_at, time_point::max());
  EXPECT_EQ(kill.kill_at, start + 14500ms);
  EXPECT_EQ(with_ttl(15s, on_lost::ignore).if_silent().wake_at(), time_point::max());
}

TEST(stop_plan, RUN_9_without_a_ttl_the_front_never_steps_in) {
  EXPECT_EQ((stop_plan{on_lost::term, 5s}.if_silent().wake_at()), time_point::max());
}

TEST(stop_plan, RUN_9_a_renewal_reaches_the_front_long_before_it_would_step_in) {
  for (auto const ttl : {duration(1s), duration(15s), duration(10min)}) {
    auto plan = with_ttl(ttl);
    auto const told = plan.if_silent();
    auto const look = plan.wake_at(start);
    EXPECT_GE(told.term_at - look, stop_plan::limits_for(ttl).grace / 2);
    EXPECT_EQ(plan.next(look), stop_action::none);
    EXPECT_GT(plan.wake_at(look), look) << "it would spin";
    plan.set_deadline(start + ttl + ttl / 3, ttl);
    EXPECT_EQ(plan.if_silent().term_at, told.term_at + ttl / 3);
    EXPECT_GT(plan.wake_at(look), look);
  }
}

TEST(stop_plan, RUN_9_a_supervisor_that_wakes_up_late_takes_the_fronts_word_for_a_loss) {
  auto plan = with_ttl(15s);
  plan.was_silent();
  plan.set_deadline(start + 30s, 15s);  // a last renewal came through
  EXPECT_EQ(plan.next(start + 13s), stop_action::none);
  EXPECT_EQ(plan.next(start + 14s), stop_action::kill);
  EXPECT_EQ(plan.reason(), stop_reason::lease_lost);
}

}  // namespace
}  // namespace leasehold::test
