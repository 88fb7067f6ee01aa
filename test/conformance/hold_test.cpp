// Decides how long a name stays busy beyond its lease: hold_at_least, lock_delay, close.
#include "conformance/suite.hpp"

namespace leasehold::conformance {
namespace {

TEST_P(conformance, HOLD_1_a_release_before_hold_at_least_is_put_off_without_waiting_for_it) {
  auto held = a_.acquire("x", {.ttl = ttl(), .hold_at_least = ttl() / 2});
  auto const from = now();
  auto const before = clock::now();
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_LT(clock::now() - before, ttl() / 4);
  EXPECT_FALSE(held.held());
  EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(b_.try_acquire("x", with_ttl())); }, ttl()));
  EXPECT_GE(now() - from, ttl() * 2 / 5);
  EXPECT_LE(now() - from, ttl());
}

TEST_P(conformance, HOLD_2_a_release_after_hold_at_least_frees_at_once) {
  auto held = a_.acquire("x", {.ttl = ttl(), .hold_at_least = ttl() / 4});
  advance(ttl() / 2);
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(b_.try_acquire("x", with_ttl()));
}

TEST_P(conformance, HOLD_3_a_lock_delay_follows_a_death) {
  auto const doomed = fixture_->start_party("x", {.ttl = ttl(), .lock_delay = ttl()});
  NEEDS(doomed != nullptr, "run a second party");
  doomed->await_grant();
  doomed->kill();
  auto const from = now();
  pending waiter(b_, "x", with_ttl());
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  EXPECT_GE(next.acquired_at() - from, ttl() * 9 / 10);
  EXPECT_LE(next.acquired_at() - from, 2 * ttl() + 2s);
}

TEST_P(conformance, HOLD_4_no_lock_delay_follows_a_release) {
  auto held = a_.acquire("x", {.ttl = ttl(), .lock_delay = 60s});
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(b_.try_acquire("x", with_ttl()));
}

TEST_P(conformance, HOLD_5_close_releases_what_is_held_and_refuses_what_comes_later) {
  auto held = a_.acquire("x", with_ttl());
  EXPECT_TRUE(a_.close(5s));
  EXPECT_FALSE(held.held());
  EXPECT_TRUE(is_free("x"));
  std::error_code ec;
  EXPECT_FALSE(a_.acquire("y", {}, {}, ec));
  EXPECT_EQ(ec, errc::cancelled);
  EXPECT_EQ(a_.try_acquire("y", {}, std::nothrow).error(), errc::cancelled);
  EXPECT_EQ(a_.inspect("y", std::nothrow).error(), errc::cancelled);
  EXPECT_EQ(a_.list("", std::nothrow).error(), errc::cancelled);
  EXPECT_TRUE(a_.close(5s)) << "idempotent";
  EXPECT_TRUE(b_.try_acquire("x", with_ttl()));
}

TEST_P(conformance, HOLD_6_the_throwing_forms_throw_what_the_others_tell) {
  auto const held = a_.acquire("x");
  try {
    static_cast<void>(b_.acquire("x", {.wait = 0s}));
    FAIL() << "busy, yet acquired";
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::timed_out);
    EXPECT_TRUE(e.code() == errcond::retryable);
    EXPECT_NE(e.details().holder(), nullptr);
  }
  EXPECT_THROW(static_cast<void>(b_.acquire("")), error);
  EXPECT_THROW(static_cast<void>(b_.inspect("")), error);
  EXPECT_THROW(b_.evict("x", 0), error);
  auto const busy = b_.try_acquire("x");
  EXPECT_FALSE(busy);
  EXPECT_NE(busy.holder(), nullptr);
}

TEST_P(conformance, HOLD_7_an_assigned_lease_gives_back_what_it_held) {
  auto held = a_.acquire("x");
  held = a_.acquire("y");
  EXPECT_TRUE(is_free("x"));
  EXPECT_FALSE(is_free("y"));
  lease other = std::move(held);
  EXPECT_FALSE(held);
  EXPECT_TRUE(other.held());
  EXPECT_EQ(other.name(), "y");
}

}  // namespace
}  // namespace leasehold::conformance
