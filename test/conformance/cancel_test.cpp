// Decides what a stop does at each moment of an acquisition: it ends a wait, it undoes no success, it leaves nothing behind.
#include "conformance/suite.hpp"

namespace leasehold::conformance {
namespace {

TEST_P(conformance, CANCEL_1_a_stop_ends_the_wait_and_leaves_the_line) {
  auto held = a_.acquire("x", {.ttl = ttl_long()});
  pending waiter(b_, "x", {.ttl = ttl_long()});
  ASSERT_TRUE(await_waiters("x", 1));
  waiter.stop();
  EXPECT_FALSE(finish(waiter));
  EXPECT_EQ(waiter.error(), errc::cancelled);
  EXPECT_TRUE(a_.inspect("x").waiters.empty());
  EXPECT_TRUE(held.held());
}

TEST_P(conformance, CANCEL_1_a_stop_requested_before_takes_nothing) {
  std::stop_source stop;
  stop.request_stop();
  std::error_code ec;
  EXPECT_FALSE(a_.acquire("x", {}, stop.get_token(), ec));
  EXPECT_EQ(ec, errc::cancelled);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, CANCEL_1_a_stopped_waiter_holds_up_nobody_behind_it) {
  auto held = a_.acquire("x", {.ttl = ttl_long()});
  pending first(a_, "x", {.ttl = ttl_long()});
  ASSERT_TRUE(await_waiters("x", 1));
  pending second(b_, "x", {.ttl = ttl_long()});
  ASSERT_TRUE(await_waiters("x", 2));
  first.stop();
  EXPECT_FALSE(finish(first));
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(finish(second));
}

TEST_P(conformance, CANCEL_1_a_stop_while_cut_off_ends_the_wait_too) {
  auto held = a_.acquire("x", {.ttl = ttl()});
  pending waiter(b_, "x", {.ttl = ttl()});
  ASSERT_TRUE(await_waiters("x", 1));
  NEEDS(fixture_->pause(b_), "pause a client");
  waiter.stop();
  EXPECT_FALSE(finish(waiter));
  EXPECT_EQ(waiter.error(), errc::cancelled);
  fixture_->resume(b_);
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(a_.try_acquire("x", with_ttl())); }, 2 * ttl()));
}

TEST_P(conformance, CANCEL_4_a_stop_after_success_changes_nothing) {
  std::stop_source stop;
  auto const held = a_.acquire("x", {}, stop.get_token());
  stop.request_stop();
  EXPECT_TRUE(held.held());
  EXPECT_FALSE(held.lost().stop_requested());
  EXPECT_FALSE(b_.try_acquire("x"));
}

TEST_P(conformance, CANCEL_5_closing_the_store_ends_its_waits) {
  auto const held = a_.acquire("x", {.ttl = ttl_long()});
  pending waiter(b_, "x", {.ttl = ttl_long()});
  ASSERT_TRUE(await_waiters("x", 1));
  EXPECT_TRUE(b_.close(5s));
  EXPECT_FALSE(finish(waiter));
  EXPECT_EQ(waiter.error(), errc::cancelled);
  EXPECT_TRUE(a_.inspect("x").waiters.empty());
}

}  // namespace
}  // namespace leasehold::conformance
