// Decides who may give a name back, and what becomes of those who no longer may.
#include "conformance/suite.hpp"

#include <thread>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, OWN_1_release_after_expiry_disturbs_no_newer_holder) {
  auto first = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  advance(ttl() + ttl() / 4);
  auto second = try_when_over(b_, "x", with_ttl());
  ASSERT_TRUE(second);
  EXPECT_FALSE(first.held());
  EXPECT_EQ(release(first), errc::not_owner);
  EXPECT_TRUE(second->held());
  EXPECT_EQ(a_.inspect("x").holders.size(), 1U);
  expect_later(first, *second);
}

TEST_P(conformance, OWN_2_release_of_an_expired_free_name_says_expired) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  advance(ttl() + ttl() / 4);
  EXPECT_EQ(release(held), errc::expired);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, OWN_3_a_release_whose_reply_was_lost_is_repeated) {
  auto held = a_.acquire("x", with_ttl());
  NEEDS(fixture_->lose_replies(a_, 1), "lose a reply");
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, OWN_3_a_retried_release_never_frees_a_newer_lease) {
  auto first = a_.acquire("x", with_ttl());
  NEEDS(fixture_->lose_replies(a_, 1000), "lose a reply");
  EXPECT_EQ(release(first), errc::outcome_unknown);
  auto second = b_.try_acquire("x", with_ttl());
  ASSERT_TRUE(second);
  fixture_->lose_replies(a_, 0);
  EXPECT_TRUE(!release(first) || first.error());
  advance(ttl() / 2);
  EXPECT_TRUE(second->held());
}

TEST_P(conformance, OWN_4_the_destructor_on_a_dead_network_is_quiet_and_bounded) {
  {
    auto held = a_.acquire("x", with_ttl());
    NEEDS(fixture_->pause(a_), "pause a client");
    auto const before = clock::now();
    { auto const gone = std::move(held); }
    EXPECT_LT(clock::now() - before, 5s);
  }
  EXPECT_FALSE(is_free("x"));
  EXPECT_TRUE(eventually([&] { return is_free("x"); }, 2 * ttl())) << "then free by its TTL";
}

TEST_P(conformance, OWN_7_neither_the_same_thread_nor_another_of_the_same_store_gets_in) {
  auto held = a_.acquire("x");
  EXPECT_FALSE(a_.try_acquire("x"));
  std::thread([&] { EXPECT_FALSE(a_.try_acquire("x")); }).join();
  pending other(a_, "x", {});
  ASSERT_TRUE(await_waiters("x", 1));
  EXPECT_FALSE(other.is_done());
  EXPECT_EQ(release(held), std::error_code{});
  auto const next = finish(other);
  ASSERT_TRUE(next);
  expect_later(held, next);
}

TEST_P(conformance, OWN_8_release_is_idempotent_and_ends_the_lease) {
  auto held = a_.acquire("x");
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_FALSE(held.held());
  EXPECT_TRUE(is_free("x"));
  EXPECT_FALSE(held.lost().stop_requested()) << "a release is no loss";
}

TEST_P(conformance, OWN_10_an_evicted_lease_is_fenced_and_its_name_stays_busy_until_its_ttl) {
  NEEDS(fences(), "evict by token");
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  EXPECT_EQ(b_.evict("x", held.token() + 1, {}, std::nothrow).error(), errc::not_owner);
  EXPECT_TRUE(held.held());
  b_.evict("x", held.token(), {.reason = "test"});
  EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
  EXPECT_EQ(b_.inspect("x").state, lock_state::held_off);
  EXPECT_TRUE(eventually([&] { return !held.held(); }, ttl()));
  EXPECT_TRUE(release(held)) << "it was not ours any more";
  EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
  EXPECT_TRUE(eventually([&] { return is_free("x"); }, 2 * ttl()));
  auto const next = b_.try_acquire("x", with_ttl());
  ASSERT_TRUE(next);
  EXPECT_GT(const_cast<try_result&>(next)->token(), held.token());
}

TEST_P(conformance, OWN_10_an_eviction_can_free_the_name_at_once) {
  NEEDS(fences(), "evict by token");
  auto held = a_.acquire("x", with_ttl());
  b_.evict("x", held.token(), {.now = true});
  auto next = b_.try_acquire("x", with_ttl());
  ASSERT_TRUE(next);
  expect_later(held, *next);
  EXPECT_TRUE(eventually([&] { return !held.held(); }, ttl()));
  EXPECT_EQ(held.error(), errc::lost);
  EXPECT_TRUE(next->held());
}

TEST_P(conformance, OWN_11_a_detached_lease_is_adopted_once_and_keeps_its_order) {
  NEEDS(fixture_->keeps_leases_of_the_dead(), "keep a lease without its holder");
  auto held = a_.acquire("x", with_ttl());
  auto const token = held.has_token() ? held.token() : 0;
  auto const ticket = held.detach();
  EXPECT_FALSE(held);
  EXPECT_FALSE(b_.try_acquire("x", with_ttl())) << "detached, not released";
  auto adopted = b_.adopt("x", ticket, with_ttl());
  ASSERT_TRUE(adopted.held());
  EXPECT_LE(adopted.remaining(), ttl());
  if (fences()) {
    EXPECT_GE(adopted.token(), token);
  }
  advance(2 * ttl());
  EXPECT_TRUE(adopted.held()) << "it is renewed again";
  EXPECT_EQ(release(adopted), std::error_code{});
  EXPECT_TRUE(is_free("x"));
  std::error_code ec;
  EXPECT_FALSE(b_.adopt("x", ticket, with_ttl(), ec));
  EXPECT_EQ(ec, errc::lost);
}

TEST_P(conformance, OWN_11_a_ticket_is_void_once_its_time_has_run_out) {
  NEEDS(fixture_->keeps_leases_of_the_dead(), "keep a lease without its holder");
  auto const ticket = a_.acquire("x", with_ttl()).detach();
  advance(ttl() + ttl() / 4);
  std::error_code ec;
  EXPECT_FALSE(b_.adopt("x", ticket, with_ttl(), ec));
  EXPECT_EQ(ec, errc::lost);
  EXPECT_TRUE(try_when_over(b_, "x", with_ttl()));
}

TEST_P(conformance, OWN_11_what_is_no_ticket_adopts_nothing) {
  auto const held = a_.acquire("x", with_ttl());
  std::error_code ec;
  EXPECT_FALSE(b_.adopt("x", "not a ticket", with_ttl(), ec));
  EXPECT_TRUE(ec == errc::lost || ec == errc::bad_option || ec == errc::unsupported) << ec.message();
  EXPECT_TRUE(held.held());
}

}  // namespace
}  // namespace leasehold::conformance
