// Decides whether the keeper machine extends, renews and loses a lease when it should, and never takes a loss back.
#include "model/keeper_machine.hpp"
#include "unit/moments.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>

namespace leasehold::test {
namespace {

using model::keep_action;
using model::keeper_machine;

keeper_machine granted(std::optional<duration> ttl, duration max_hold = 0s, renewal how = renewal::automatic) {
  keeper_machine k;
  k.how = how;
  k.grant(at(0s), ttl, max_hold);
  return k;
}

constexpr duration usable(duration ttl) { return ttl - model::margin_for(ttl); }

TEST(keeper_machine, RENEW_1_the_deadline_counts_from_before_the_request) {
  auto const k = granted(10s);
  EXPECT_EQ(k.deadline, at(usable(10s)));
  EXPECT_LT(k.deadline, at(10s));
}

TEST(keeper_machine, RENEW_1_a_renewal_counts_from_before_its_request_too) {
  auto k = granted(10s);
  ASSERT_TRUE(k.renewed(at(3s), at(9s), 10s));
  EXPECT_EQ(k.deadline, at(3s + usable(10s)));
}

TEST(keeper_machine, RENEW_3_a_renewal_that_failed_leaves_the_deadline) {
  auto k = granted(10s);
  auto const before = k.deadline;
  k.renewal_failed(at(4s));
  EXPECT_EQ(k.deadline, before);
}

TEST(keeper_machine, RENEW_4_a_reply_at_or_after_the_deadline_changes_nothing) {
  auto k = granted(10s);
  auto const deadline = k.deadline;
  EXPECT_FALSE(k.renewed(at(5s), deadline, 10s));
  EXPECT_FALSE(k.renewed(at(5s), deadline + 1h, 10s));
  EXPECT_EQ(k.deadline, deadline);
  EXPECT_EQ(k.due(deadline), keep_action::lose);
}

TEST(keeper_machine, RENEW_4_a_reply_just_before_the_deadline_extends) {
  auto k = granted(10s);
  EXPECT_TRUE(k.renewed(at(5s), k.deadline - 1ns, 10s));
  EXPECT_EQ(k.deadline, at(5s + usable(10s)));
}

TEST(keeper_machine, RENEW_5_a_failed_renewal_is_tried_several_times_before_the_deadline) {
  auto k = granted(12s);
  int tries = 0;
  for (auto now = k.next(); k.due(now) != keep_action::lose; now = k.next()) {
    ASSERT_EQ(k.due(now), keep_action::renew);
    k.renewal_failed(now);
    ASSERT_GT(k.next(), now) << "a busy loop";
    ++tries;
  }
  EXPECT_GE(tries, 5);
}

TEST(keeper_machine, RENEW_5_a_success_after_failures_returns_to_the_usual_pace) {
  auto k = granted(12s);
  k.renewal_failed(at(4s));
  k.renewal_failed(at(5s));
  ASSERT_TRUE(k.renewed(at(6s), at(6s), 12s));
  EXPECT_EQ(k.next(), at(6s + 4s));
}

TEST(keeper_machine, a_renewal_is_due_at_a_third_of_the_ttl) {
  auto const k = granted(12s);
  EXPECT_EQ(k.due(at(4s) - 1ns), keep_action::nothing);
  EXPECT_EQ(k.due(at(4s)), keep_action::renew);
}

TEST(keeper_machine, RENEW_8_the_ttl_granted_counts_not_the_one_before) {
  auto k = granted(12s);
  ASSERT_TRUE(k.renewed(at(4s), at(4s), 60s));
  EXPECT_EQ(k.ttl, 60s);
  EXPECT_EQ(k.deadline, at(4s + usable(60s)));
  EXPECT_EQ(k.next(), at(4s + 20s));
}

TEST(keeper_machine, RENEW_8_a_shorter_ttl_does_not_move_the_deadline_back) {
  auto k = granted(60s);
  auto const before = k.deadline;
  ASSERT_TRUE(k.renewed(at(20s), at(20s), 6s));
  EXPECT_EQ(k.deadline, before);
  EXPECT_EQ(k.next(), at(20s + 2s));
}

TEST(keeper_machine, RENEW_9_a_ttl_below_its_own_margin_is_lost_from_the_start) {
  for (auto const ttl : {duration(0s), duration(1ns), duration(5ms), duration(-1s)}) {
    EXPECT_EQ(granted(ttl).due(at(0s)), keep_action::lose) << ttl.count();
  }
}

TEST(keeper_machine, RENEW_9_the_longest_ttl_does_not_overflow) {
  auto const k = granted(duration::max());
  EXPECT_EQ(k.due(at(0s)), keep_action::nothing);
  EXPECT_GT(k.deadline, at(24h));
  EXPECT_GT(k.next(), at(24h));
}

TEST(keeper_machine, RENEW_10_max_hold_ends_a_lease_that_is_renewed_for_ever) {
  auto k = granted(12s, 20s);
  auto now = at(0s);
  int renewals = 0;
  while (k.due(now) != keep_action::lose) {
    now = k.next();
    if (k.due(now) == keep_action::renew) {
      ASSERT_TRUE(k.renewed(now, now, 12s));
      ASSERT_LT(++renewals, 100);
    }
  }
  EXPECT_EQ(now, at(20s));
  EXPECT_GT(renewals, 0);
}

TEST(keeper_machine, RENEW_10_max_hold_bounds_a_lease_without_ttl) {
  auto const k = granted(std::nullopt, 20s);
  EXPECT_TRUE(k.needs_keeper());
  EXPECT_EQ(k.due(at(20s) - 1ns), keep_action::nothing);
  EXPECT_EQ(k.due(at(20s)), keep_action::lose);
}

TEST(keeper_machine, RENEW_10_max_hold_below_the_ttl_needs_no_renewal) {
  auto const k = granted(12s, 3s);
  EXPECT_EQ(k.deadline, at(3s));
  EXPECT_EQ(k.next(), at(3s));
}

TEST(keeper_machine, a_manual_lease_is_never_renewed_by_itself) {
  auto k = granted(12s, 0s, renewal::manual);
  EXPECT_EQ(k.next(), k.deadline);
  EXPECT_EQ(k.due(k.deadline - 1ns), keep_action::nothing);
  k.renewal_failed(at(4s));
  EXPECT_EQ(k.next(), k.deadline);
  ASSERT_TRUE(k.renewed(at(6s), at(6s), 12s));
  EXPECT_EQ(k.next(), at(6s + usable(12s)));
  EXPECT_EQ(k.due(k.deadline), keep_action::lose);
}

TEST(keeper_machine, a_lease_without_any_bound_needs_no_keeper) {
  auto const k = granted(std::nullopt);
  EXPECT_FALSE(k.needs_keeper());
  EXPECT_EQ(k.due(at(1h)), keep_action::nothing);
  EXPECT_EQ(k.deadline, time_point::max());
}

TEST(keeper_machine, a_new_grant_begins_afresh) {
  auto k = granted(12s, 3s);
  k.grant(at(100s), 12s, 0s);
  EXPECT_EQ(k.hold_until, time_point::max());
  EXPECT_EQ(k.deadline, at(100s + usable(12s)));
}

/// Every sequence of {time passes, reply in time, late reply, failure} of a length.
void explore(keeper_machine k, time_point now, bool lost, int depth, std::string const& path, long& seen) {
  ++seen;
  auto const action = k.due(now);
  ASSERT_EQ(action == keep_action::lose, now >= k.deadline) << path;
  if (lost) {
    ASSERT_EQ(action, keep_action::lose) << "resurrected: " << path;
  }
  lost = lost || action == keep_action::lose;
  if (depth == 0) return;
  for (auto const step : {duration(1s), duration(3s), duration(9s)}) {
    explore(k, now + step, lost, depth - 1, path + " pass", seen);
    auto answered = k;
    bool const extended = answered.renewed(now, now + step, 9s);
    ASSERT_EQ(extended, now + step < k.deadline) << path;
    ASSERT_GE(answered.deadline, k.deadline) << path;
    ASSERT_LE(answered.deadline, k.hold_until) << path;
    if (!extended) {
      ASSERT_EQ(answered.deadline, k.deadline) << path;
    }
    explore(answered, now + step, lost || !extended, depth - 1, path + (extended ? " renewed" : " late"), seen);
  }
  auto failed = k;
  failed.renewal_failed(now);
  ASSERT_EQ(failed.deadline, k.deadline) << path;
  explore(failed, now, lost, depth - 1, path + " failed", seen);
}

TEST(keeper_machine, RENEW_2_RENEW_4_loss_is_final_in_every_sequence) {
  long seen = 0;
  for (auto const max_hold : {duration(0s), duration(7s)}) {
    for (auto const how : {renewal::automatic, renewal::manual}) {
      explore(granted(9s, max_hold, how), at(0s), false, 5, "grant", seen);
    }
  }
  EXPECT_GT(seen, 50'000);
}

}  // namespace
}  // namespace leasehold::test
