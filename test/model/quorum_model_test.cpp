// Decides that the good protocol has no bad state, and that every variant known to be bad has one.
#include "model/explorer.hpp"
#include "model/mutants.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace leasehold::test::quorum_model {
namespace {

constexpr bounds any_moment{.tries = {2, 1}};
constexpr bounds with_hints{.tries = {2, 1}, .hints = true};
constexpr bounds timed{.tries = {1, 1}, .expiry = expiry::after_deadline};
constexpr bounds timed_twice{.tries = {2, 1}, .expiry = expiry::after_deadline};
constexpr bounds renewing{.tries = {1, 1}, .expiry = expiry::after_deadline, .renewals = true};
constexpr bounds forgetting{.tries = {1, 1}, .expiry = expiry::after_deadline, .amnesias = 1};

/// Without the bounds of `./dev test`.
bool is_soak() { return std::getenv("SOAK_MINUTES") != nullptr; }

void expect_sound(bounds const& of, char const* what) {
  auto const f = explorer<good>(of).run();
  EXPECT_EQ(f.violation, "") << f.path;
  EXPECT_TRUE(f.exhausted);
  EXPECT_GT(f.grants, of.tries[0]) << "nothing was explored";
  std::cout << what << ": " << f.states << " states, all of them\n";
}

TEST(quorum_model, no_expiry_at_any_moment_makes_a_token_go_back) {
  expect_sound({.tries = {1, 1}, .late_requests = true}, "late requests");
  expect_sound(any_moment, "expiry at any moment");
}

TEST(quorum_model, a_lease_excludes_while_keys_outlive_deadlines) {
  expect_sound({.tries = {1, 1}, .expiry = expiry::after_deadline, .late_requests = true}, "late requests");
  expect_sound(timed, "timed");
}

TEST(quorum_model, RENEW_3_renewal_by_a_majority_excludes) { expect_sound(renewing, "renewals"); }

TEST(quorum_model, FAIL_1_a_node_that_forgot_comes_back_after_probation_with_a_majoritys_counter) {
  expect_sound(forgetting, "one amnesia");
}

TEST(quorum_model, soak_larger_worlds) {
  if (!is_soak()) GTEST_SKIP() << "part of ./dev soak model";
  expect_sound(with_hints, "three attempts, hints");
  expect_sound({.tries = {2, 1}, .expiry = expiry::after_deadline, .renewals = true}, "three attempts, renewals");
  expect_sound({.tries = {2, 1}, .expiry = expiry::after_deadline, .amnesias = 1}, "three attempts, one amnesia");
  expect_sound({.tries = {2, 2}}, "four attempts, expiry at any moment");
}

template <class Variant>
void expect_found(bounds const& in, char const* name) {
  constexpr std::uint64_t states_most = 3'000'000;
  auto const f = explorer<Variant>(in, states_most).run();
  EXPECT_NE(f.violation, "") << name << " was not found in " << f.states << " states";
  std::cout << name << ": " << f.violation << " (" << f.states << " states)\n";
}
#define EXPECT_FOUND(variant, in) expect_found<variant>(in, #variant)

TEST(quorum_mutants, every_broken_decision_of_a_client_is_found) {
  EXPECT_FOUND(plain_max, any_moment);
  EXPECT_FOUND(half_is_a_quorum, any_moment);
  EXPECT_FOUND(smallest_is_the_token, any_moment);
  EXPECT_FOUND(larger_grant_confirms, any_moment);
  EXPECT_FOUND(any_answer_settles, any_moment);
  EXPECT_FOUND(refusal_counts, any_moment);
  EXPECT_FOUND(owner_kept_for_the_next_try, timed_twice);
}

TEST(quorum_mutants, every_broken_script_of_a_node_is_found) {
  EXPECT_FOUND(grant_without_increment, any_moment);
  EXPECT_FOUND(hint_replaces_the_counter, with_hints);
  EXPECT_FOUND(counter_forgotten_when_free, any_moment);
  EXPECT_FOUND(grant_over_a_holder, timed);
  EXPECT_FOUND(settle_without_owner, any_moment);
  EXPECT_FOUND(settle_takes_a_free_key, any_moment);
  EXPECT_FOUND(settle_stores_nothing, any_moment);
  EXPECT_FOUND(release_by_name, timed_twice);
  EXPECT_FOUND(renew_by_name, renewing);
}

TEST(quorum_mutants, every_wrong_use_of_a_clock_is_found) {
  EXPECT_FOUND(deadline_from_the_reply, timed);
  EXPECT_FOUND(late_replies_count, timed);
  EXPECT_FOUND(holds_on_after_loss, timed);
  EXPECT_FOUND(renewed_by_a_minority, renewing);
}

TEST(quorum_mutants, every_short_way_back_after_amnesia_is_found) {
  EXPECT_FOUND(votes_at_once, forgetting);
  EXPECT_FOUND(copies_without_probation, forgetting);
  EXPECT_FOUND(probation_without_copy, forgetting);
  EXPECT_FOUND(copies_before_the_probation_ends, forgetting);
  EXPECT_FOUND(copies_from_too_few, forgetting);
  EXPECT_FOUND(probation_counts_holders_alone, forgetting);
}

}  // namespace
}  // namespace leasehold::test::quorum_model
