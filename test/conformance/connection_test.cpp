// Decides what a lost message costs: a retry, a bounded doubt, never a second holder and never a name nobody can free.
#include "conformance/suite.hpp"

namespace leasehold::conformance {
namespace {

TEST_P(conformance, CONN_1_a_request_that_was_never_sent_is_retryable) {
  NEEDS(fixture_->lose_requests(a_, 1), "lose a request");
  std::error_code ec;
  auto const first = a_.acquire("x", {.ttl = ttl(), .wait = 0s}, {}, ec);
  EXPECT_FALSE(first);
  EXPECT_TRUE(ec == errcond::retryable) << ec.message();
  EXPECT_TRUE(is_free("x"));
  EXPECT_TRUE(a_.try_acquire("x", with_ttl()));
}

TEST_P(conformance, CONN_2_an_unknown_outcome_is_told_and_leaves_nothing_behind) {
  NEEDS(fixture_->lose_replies(a_, 1), "lose a reply");
  EXPECT_EQ(a_.try_acquire("x", with_ttl(), std::nothrow).error(), errc::outcome_unknown);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, CONN_2_a_waiting_acquire_clears_up_its_unknown_attempt_and_asks_anew) {
  NEEDS(fixture_->lose_replies(a_, 1), "lose a reply");
  pending waiter(a_, "x", with_ttl());
  auto got = finish(waiter);
  ASSERT_TRUE(got.held());
  EXPECT_EQ(b_.inspect("x").holders.size(), 1U);
  EXPECT_EQ(release(got), std::error_code{});
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, CONN_2_a_grant_whose_withdrawal_fails_too_lasts_no_longer_than_its_ttl) {
  NEEDS(fixture_->lose_replies(a_, 1), "lose a reply");
  std::error_code ec;
  {
    auto const party = fixture_->start_party("other", {.ttl = ttl()});  // keeps virtual time honest
    auto const tried = a_.try_acquire("x", with_ttl(), std::nothrow);
    EXPECT_EQ(tried.error(), errc::outcome_unknown);
  }
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(b_.try_acquire("x", with_ttl())); }, ttl() + 1s));
}

TEST_P(conformance, CONN_3_a_waiter_that_was_cut_off_never_becomes_a_ghost_holder) {
  auto held = a_.acquire("x", with_ttl());
  pending ghost(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  NEEDS(fixture_->pause(b_), "pause a client");
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(a_.inspect("x").holders.empty()) << "nothing is granted by push";
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(a_.try_acquire("x", with_ttl())); }, ttl() + 1s));
}

TEST_P(conformance, CONN_6_a_failed_release_does_not_block_the_next_acquire_for_ever) {
  {
    auto held = a_.acquire("x", with_ttl());
    NEEDS(fixture_->lose_requests(a_, 1000), "lose a request");
    EXPECT_TRUE(release(held));
    EXPECT_FALSE(held.held());
  }
  fixture_->lose_requests(a_, 0);
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(a_.try_acquire("x", with_ttl())); }, ttl() + 1s));
}

TEST_P(conformance, CONN_7_no_operation_on_a_silent_engine_hangs) {
  auto const held = a_.acquire("x", with_ttl());
  NEEDS(fixture_->pause(a_), "pause a client");
  auto const before = now();
  EXPECT_TRUE(a_.try_acquire("y", with_ttl(), std::nothrow).error());
  EXPECT_TRUE(a_.inspect("x", std::nothrow).error());
  EXPECT_TRUE(a_.list("", std::nothrow).error());
  EXPECT_TRUE(a_.evict("x", 1, {}, std::nothrow).error());
  EXPECT_LE(now() - before, 30s);
}

TEST_P(conformance, FAIL_6_leases_that_the_engine_forgot_are_lost_and_tokens_still_grow) {
  auto held = a_.acquire("x", with_ttl());
  auto const token = held.has_token() ? held.token() : 0;
  NEEDS(fixture_->forget(), "crash without memory");
  advance(ttl());
  EXPECT_FALSE(held.held());
  EXPECT_EQ(held.error(), errc::lost);
  std::optional<try_result> next;
  ASSERT_TRUE(eventually(
      [&] {
        auto tried = b_.try_acquire("x", with_ttl(), std::nothrow);
        if (tried && *tried) next.emplace(std::move(*tried));
        return next.has_value();
      },
      300s));
  if (fences()) {
    EXPECT_GT((*next)->token(), token);
  }
}

}  // namespace
}  // namespace leasehold::conformance
