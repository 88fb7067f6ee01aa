// Decides that the protocol stands thousands of schedules in simulated time, and that no broken variant of it does.
#include "model/schedule.hpp"
#include "model/mutants.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>

namespace leasehold::test::quorum_schedules {
namespace {

using namespace quorum_model;

#ifdef __OPTIMIZE__
constexpr std::uint64_t by_default = 10'000;
#else
constexpr std::uint64_t by_default = 1'000;  // some ten times slower each
#endif

std::uint64_t from_environment(char const* name, std::uint64_t otherwise) {
  auto const* const text = std::getenv(name);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

TEST(quorum_schedules, every_schedule_excludes_its_tokens_grow_and_everyone_is_served_after_the_heal) {
  bool const is_soak = std::getenv("SOAK_MINUTES") != nullptr;
  auto const first = from_environment("SCHEDULE", is_soak ? from_environment("SOAK_SEED", 1) : 1);
  auto const count = std::getenv("SCHEDULE") != nullptr ? 1 : is_soak ? 1'000'000 : by_default;
  std::uint64_t grants = 0, forgotten = 0, lists = 0;
  for (auto seed = first; seed < first + count; ++seed) {
    auto const done = schedule<good>(seed).run();
    ASSERT_EQ(done.violation, "") << "reproduce with SCHEDULE=" << seed;
    grants += static_cast<std::uint64_t>(done.grants);
    forgotten += static_cast<std::uint64_t>(done.forgotten);
    lists += static_cast<std::uint64_t>(done.lists);
  }
  std::cout << count << " schedules from " << first << ": " << grants << " grants, " << forgotten << " nodes forgot, "
            << lists << " lists changed\n";
  if (count == 1) return;
  EXPECT_GT(grants, 10 * count) << "a schedule in which nothing happens proves nothing";
  EXPECT_GT(forgotten, count / 2);
  EXPECT_GT(lists, count / 8);
}

TEST(quorum_schedules, one_seed_is_one_schedule) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed)
    EXPECT_EQ(schedule<good>(seed).run().hash, schedule<good>(seed).run().hash) << seed;
  EXPECT_NE(schedule<good>(1).run().hash, schedule<good>(2).run().hash);
}

template <class Variant>
void expect_found(char const* name) {
  constexpr std::uint64_t most = 20'000;
  for (std::uint64_t seed = 1; seed <= most; ++seed) {
    auto const done = schedule<Variant>(seed).run(false);
    if (done.violation.empty()) continue;
    std::cout << name << ": " << done.violation << " (schedule " << seed << ")\n";
    return;
  }
  ADD_FAILURE() << name << " went unnoticed in " << most << " schedules";
}
#define EXPECT_FOUND(variant) expect_found<variant>(#variant)

TEST(quorum_schedules, every_broken_decision_of_a_client_is_found) {
  EXPECT_FOUND(plain_max);
  EXPECT_FOUND(half_is_a_quorum);
  EXPECT_FOUND(smallest_is_the_token);
  EXPECT_FOUND(larger_grant_confirms);
  EXPECT_FOUND(any_answer_settles);
  EXPECT_FOUND(refusal_counts);
  EXPECT_FOUND(owner_kept_for_the_next_try);
}

TEST(quorum_schedules, every_broken_script_of_a_node_is_found) {
  EXPECT_FOUND(grant_without_increment);
  EXPECT_FOUND(hint_replaces_the_counter);
  EXPECT_FOUND(counter_forgotten_when_free);
  EXPECT_FOUND(grant_over_a_holder);
  EXPECT_FOUND(settle_without_owner);
  EXPECT_FOUND(settle_takes_a_free_key);
  EXPECT_FOUND(settle_stores_nothing);
  EXPECT_FOUND(release_by_name);
  EXPECT_FOUND(renew_by_name);
  EXPECT_FOUND(renewal_resurrects);
  EXPECT_FOUND(lists_not_compared);
}

TEST(quorum_schedules, every_wrong_use_of_a_clock_is_found) {
  EXPECT_FOUND(deadline_from_the_reply);
  EXPECT_FOUND(no_margin);
  EXPECT_FOUND(late_replies_count);
  EXPECT_FOUND(holds_on_after_loss);
  EXPECT_FOUND(renewed_by_a_minority);
  EXPECT_FOUND(renewal_counts_from_the_reply);
  EXPECT_FOUND(late_renewals_count);
  EXPECT_FOUND(list_changed_without_waiting);
  EXPECT_FOUND(clock_set_forward);
}

TEST(quorum_schedules, every_short_way_back_after_amnesia_is_found) {
  EXPECT_FOUND(votes_at_once);
  EXPECT_FOUND(old_snapshot_not_noticed);
  EXPECT_FOUND(copies_without_probation);
  EXPECT_FOUND(probation_without_copy);
  EXPECT_FOUND(copies_before_the_probation_ends);
  EXPECT_FOUND(copies_from_too_few);
}

}  // namespace
}  // namespace leasehold::test::quorum_schedules
