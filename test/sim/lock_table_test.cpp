// Decides whether the sequential lock machine is right, step by step: `mem:` and the simulator stand on it.
#include "engines/mem/lock_table.hpp"

#include <gtest/gtest.h>

namespace leasehold::mem {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class lock_table_test : public testing::Test {
 protected:
  lock_request want(owner_id owner, mode m = mode::exclusive(), duration ttl = seconds(10)) {
    return {.owner = owner, .mode = m, .ttl = ttl, .lock_delay = lock_delay_, .who = {}};
  }
  result<spi::answer> ask(lock_request const& asked, bool enqueue = true) {
    return table_.attempt(now_, "x", asked, enqueue);
  }
  /// The token, or 0 when refused.
  std::uint64_t token(lock_request const& asked, bool enqueue = true) {
    auto const answer = ask(asked, enqueue).value();
    auto const* const grant = std::get_if<spi::granted>(&answer);
    return grant != nullptr ? grant->token.value() : 0;
  }
  spi::busy refusal(lock_request const& asked, bool enqueue = true) {
    return std::get<spi::busy>(ask(asked, enqueue).value());
  }
  departure leave(owner_id owner, duration hold_off = {}) { return table_.withdraw(now_, "x", owner, hold_off); }
  lock_info seen() { return table_.inspect(now_, "x"); }

  lock_table table_;
  time_point now_ = time_point{} + seconds(1000);
  duration lock_delay_{};
};

TEST_F(lock_table_test, OWN_7_one_exclusive_holder_at_a_time) {
  EXPECT_EQ(token(want(1)), 1U);
  EXPECT_EQ(token(want(2)), 0U);
  EXPECT_EQ(leave(1), departure::released);
  EXPECT_EQ(token(want(2)), 2U);
}

TEST_F(lock_table_test, OWN_1_leaving_touches_only_the_own_owner_id) {
  ASSERT_EQ(token(want(1)), 1U);
  now_ += seconds(10);
  ASSERT_EQ(token(want(2)), 2U);
  EXPECT_EQ(leave(1), departure::absent_taken);
  EXPECT_EQ(seen().holders.front().token, 2U);
}

TEST_F(lock_table_test, RENEW_2_renewal_never_resurrects) {
  ASSERT_EQ(token(want(1)), 1U);
  now_ += seconds(9);
  EXPECT_EQ(table_.renew(now_, "x", 1), seconds(10));
  now_ += seconds(10);
  EXPECT_EQ(table_.renew(now_, "x", 1), std::nullopt);
  EXPECT_EQ(seen().state, lock_state::free);
}

TEST_F(lock_table_test, ONCE_4_completions_and_notes_are_the_holders_alone) {
  ASSERT_EQ(token(want(1)), 1U);
  EXPECT_EQ(table_.put_record(now_, "x", 2, "not mine", seconds(60)), recording::lost);
  EXPECT_FALSE(table_.put_note(now_, "x", 2, "not mine"));
  now_ += seconds(10);
  EXPECT_EQ(table_.put_record(now_, "x", 1, "late", seconds(60)), recording::lost);
  EXPECT_FALSE(table_.get_record(now_, "x"));
  ASSERT_EQ(token(want(2)), 2U);
  EXPECT_EQ(table_.put_record(now_, "x", 2, "done", seconds(60)), recording::stored);
  EXPECT_EQ(leave(2), departure::released);
  ASSERT_EQ(token(want(3)), 3U);
  EXPECT_EQ(table_.put_record(now_, "x", 3, "again", seconds(60)), recording::another_there);
  EXPECT_EQ(table_.get_record(now_, "x")->result, "done");
  EXPECT_FALSE(table_.get_record(now_ + seconds(60), "x"));
}

TEST_F(lock_table_test, OWN_6_a_repeated_attempt_of_the_holder_changes_no_token) {
  ASSERT_EQ(token(want(1)), 1U);
  EXPECT_EQ(token(want(1)), 1U);
  EXPECT_EQ(leave(1), departure::released);
  EXPECT_EQ(seen().state, lock_state::free);
}

TEST_F(lock_table_test, WAIT_7_the_line_is_served_in_order_and_nobody_barges) {
  ASSERT_EQ(token(want(1)), 1U);
  EXPECT_EQ(refusal(want(2)).ahead, 0U);
  EXPECT_EQ(refusal(want(3)).ahead, 1U);
  leave(1);
  EXPECT_EQ(token(want(4), false), 0U) << "a free name belongs to the head of the line";
  EXPECT_EQ(token(want(3)), 0U);
  EXPECT_EQ(table_.admissible(now_, "x"), std::vector<owner_id>{2});
  EXPECT_EQ(token(want(2)), 2U);
}

TEST_F(lock_table_test, WAIT_6_a_dead_waiter_loses_its_place) {
  ASSERT_EQ(token(want(1)), 1U);
  refusal(want(2));
  for (int i = 0; i < 4; ++i) {
    now_ += seconds(2);
    refusal(want(3));
  }
  leave(1);
  EXPECT_EQ(token(want(3)), 2U);
}

TEST_F(lock_table_test, WAIT_9_a_refused_single_try_leaves_nothing_behind) {
  ASSERT_EQ(token(want(1)), 1U);
  refusal(want(2), false);
  EXPECT_TRUE(seen().waiters.empty());
  refusal(want(2), true);
  refusal(want(2), false);
  EXPECT_TRUE(seen().waiters.empty());
}

TEST_F(lock_table_test, SHARED_2_readers_queue_behind_a_waiting_writer) {
  ASSERT_NE(token(want(1, mode::reader())), 0U);
  ASSERT_NE(token(want(2, mode::reader())), 0U);
  EXPECT_EQ(token(want(3)), 0U);
  EXPECT_EQ(token(want(4, mode::reader())), 0U);
  leave(1);
  leave(2);
  EXPECT_EQ(token(want(4, mode::reader())), 0U);
  EXPECT_NE(token(want(3)), 0U);
}

TEST_F(lock_table_test, SHARED_5_the_least_capacity_counts_so_that_shrinking_drains) {
  ASSERT_NE(token(want(1, mode::semaphore(3))), 0U);
  ASSERT_NE(token(want(2, mode::semaphore(3))), 0U);
  EXPECT_EQ(token(want(3, mode::semaphore(2)), false), 0U);
  leave(1);
  EXPECT_NE(token(want(3, mode::semaphore(2)), false), 0U);
  EXPECT_EQ(token(want(4, mode::semaphore(3)), false), 0U) << "the holder of two was promised at most two";
}

TEST_F(lock_table_test, NAME_4_a_semaphore_shares_its_name_with_nothing) {
  ASSERT_NE(token(want(1, mode::semaphore(2))), 0U);
  EXPECT_EQ(ask(want(2)).error(), errc::mode_mismatch);
  EXPECT_EQ(ask(want(2, mode::reader())).error(), errc::mode_mismatch);
  leave(1);
  EXPECT_NE(token(want(2)), 0U);
  EXPECT_EQ(ask(want(1, mode::semaphore(2))).error(), errc::mode_mismatch);
}

TEST_F(lock_table_test, OWN_10_an_evicted_name_stays_busy_until_the_granted_ttl_has_passed) {
  ASSERT_EQ(token(want(1)), 1U);
  EXPECT_EQ(table_.evict(now_, "x", 7, false), 0U) << "the token has moved";
  EXPECT_EQ(table_.evict(now_, "x", 1, false), 1U);
  EXPECT_EQ(seen().state, lock_state::held_off);
  EXPECT_EQ(seen().free_at, now_ + seconds(10));
  EXPECT_EQ(table_.renew(now_, "x", 1), std::nullopt);
  EXPECT_EQ(token(want(2)), 0U);
  now_ += seconds(10);
  EXPECT_EQ(token(want(2)), 2U);
  EXPECT_EQ(table_.evict(now_, "x", 2, true), 2U);
  EXPECT_EQ(seen().state, lock_state::free);
}

TEST_F(lock_table_test, a_lock_delay_follows_a_death_but_not_a_release) {
  lock_delay_ = seconds(5);
  ASSERT_EQ(token(want(1)), 1U);
  leave(1);
  ASSERT_EQ(token(want(2)), 2U);
  now_ += seconds(14);
  EXPECT_EQ(seen().state, lock_state::held_off);
  EXPECT_EQ(token(want(3), false), 0U);
  now_ += seconds(1);
  EXPECT_EQ(token(want(3), false), 3U);
}

TEST_F(lock_table_test, a_release_can_be_put_off) {
  ASSERT_EQ(token(want(1)), 1U);
  EXPECT_EQ(leave(1, seconds(3)), departure::released);
  EXPECT_EQ(seen().state, lock_state::held_off);
  EXPECT_EQ(table_.next_change("x"), now_ + seconds(3));
  now_ += seconds(3);
  EXPECT_EQ(token(want(2)), 2U);
}

TEST_F(lock_table_test, a_lease_is_handed_over_with_its_token_and_only_once) {
  ASSERT_EQ(token(want(1)), 1U);
  now_ += seconds(4);
  auto const left = table_.hand_over(now_, "x", 1, 9);
  ASSERT_TRUE(left);
  EXPECT_EQ(left->ttl, seconds(6));
  EXPECT_EQ(left->token, 1U);
  EXPECT_FALSE(table_.hand_over(now_, "x", 1, 8));
  EXPECT_EQ(table_.renew(now_, "x", 1), std::nullopt);
  EXPECT_EQ(table_.renew(now_, "x", 9), seconds(10));
}

TEST_F(lock_table_test, FAIL_6_tokens_grow_over_a_loss_of_memory) {
  ASSERT_EQ(token(want(1)), 1U);
  table_.forget();
  EXPECT_EQ(token(want(2)), 2U);
}

TEST_F(lock_table_test, a_refusal_says_who_and_when_to_look_again) {
  auto first = want(1);
  first.who.identity = "me";
  ASSERT_NE(ask(first).has_value(), false);
  now_ += seconds(9);
  auto const no = refusal(want(2));
  ASSERT_NE(no.holder, nullptr);
  EXPECT_EQ(no.holder->identity, "me");
  EXPECT_EQ(no.holder->token, 1U);
  EXPECT_EQ(no.retry_after, seconds(1));
}

TEST_F(lock_table_test, list_is_sorted_and_holds_no_free_names) {
  for (auto const* name : {"b", "a/2", "a/1"})
    ASSERT_TRUE(table_.attempt(now_, name, want(1, mode::exclusive(), seconds(1)), true));
  std::vector<std::string> names;
  for (auto const& info : table_.list(now_, "a/")) names.push_back(info.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a/1", "a/2"}));
  now_ += seconds(1);
  EXPECT_TRUE(table_.list(now_, "").empty());
  EXPECT_EQ(table_.next_change(), time_point::max());
}

}  // namespace
}  // namespace leasehold::mem
