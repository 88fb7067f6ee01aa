// Decides what pauses and clocks can do to a holder: make it late, never make it wrong.
#include "conformance/suite.hpp"

#include <leasehold/fence.hpp>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, CLOCK_1_a_holder_paused_past_its_ttl_is_fenced_and_wakes_to_a_lost_lease) {
  auto const stale = fixture_->start_party("x", {.ttl = ttl()});
  NEEDS(stale != nullptr, "run a second party");
  auto const token = stale->await_grant();
  EXPECT_TRUE(stale->held());
  stale->pause();
  advance(fixture_->frozen_limit());
  pending late(b_, "x", with_ttl());
  auto next = finish(late);
  ASSERT_TRUE(next);
  if (fences()) {
    token_gate resource;
    EXPECT_TRUE(resource.pass("x", next.token(), [] {}));
    EXPECT_FALSE(resource.pass("x", token, [] { FAIL() << "a stale write went through"; }));
  }
  stale->resume();
  EXPECT_FALSE(stale->held()) << "the first call after waking";
  auto const refused = stale->release();
  EXPECT_TRUE(refused == errc::not_owner || (refused && !fixture_->keeps_leases_of_the_dead())) << refused.message();
  EXPECT_TRUE(next.held());
}

TEST_P(conformance, CLOCK_1_without_ttl_a_paused_holder_still_holds) {
  NEEDS(traits().exclusion == exclusion::exact && !traits().ttl_default, "hold without a TTL");
  auto const paused = fixture_->start_party("x", {});
  NEEDS(paused != nullptr, "run a second party");
  paused->await_grant();
  paused->pause();
  advance(200ms);
  EXPECT_FALSE(b_.try_acquire("x"));
  paused->resume();
  EXPECT_TRUE(paused->held());
  EXPECT_EQ(paused->release(), std::error_code{});
  EXPECT_TRUE(b_.try_acquire("x"));
}

TEST_P(conformance, CLOCK_6_the_deadline_leaves_room_for_one_percent_of_clock_rate_error) {
  auto held = a_.acquire("x", with_ttl());
  EXPECT_LE(held.deadline() - held.acquired_at(), ttl() * 99 / 100);
  EXPECT_EQ(renew(held), std::error_code{});
  EXPECT_LE(held.deadline() - now(), ttl() * 99 / 100);
}

TEST_P(conformance, CLOCK_8_held_and_remaining_follow_the_clock_itself) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  EXPECT_TRUE(held.held());
  EXPECT_GT(held.remaining(), duration::zero());
  held.checkpoint();
  advance(held.remaining());
  EXPECT_FALSE(held.held());
  EXPECT_LE(held.remaining(), duration::zero());
  std::error_code ec;
  held.checkpoint(ec);
  EXPECT_EQ(ec, errc::lost);
}

}  // namespace
}  // namespace leasehold::conformance
