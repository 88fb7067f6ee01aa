// Decides how long a lease is good, and that nothing brings back a lost one.
#include "conformance/suite.hpp"

#include <vector>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, RENEW_1_the_deadline_counts_from_before_the_request) {
  auto const before = now();
  auto const held = a_.acquire("x", with_ttl());
  EXPECT_GE(held.acquired_at(), before);
  EXPECT_LE(held.acquired_at(), now());
  EXPECT_LE(held.deadline(), held.acquired_at() + ttl());
  // Where time is virtual, none passes between `before` and the sending.
  if (fixture_->is_virtual()) {
    EXPECT_LE(held.deadline(), before + ttl());
  }
}

TEST_P(conformance, RENEW_2_renewal_never_resurrects) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  advance(ttl() + ttl() / 4);
  EXPECT_EQ(renew(held), errc::lost);
  EXPECT_FALSE(held.held());
  EXPECT_EQ(held.error(), errc::lost);
  EXPECT_TRUE(becomes_free("x"));
  auto const other = b_.try_acquire("x", with_ttl());
  EXPECT_TRUE(other);
  EXPECT_EQ(renew(held), errc::lost);
  EXPECT_THROW(held.checkpoint(), lease_lost);
}

TEST_P(conformance, RENEW_2_a_client_that_was_cut_off_finds_its_lease_lost) {
  auto held = a_.acquire("x", with_ttl());
  NEEDS(fixture_->pause(a_), "pause a client");
  advance(ttl() + ttl() / 4);
  fixture_->resume(a_);
  EXPECT_FALSE(held.held());
  EXPECT_EQ(renew(held), errc::lost);
  advance(ttl());
  EXPECT_FALSE(held.held()) << "loss is final";
}

TEST_P(conformance, RENEW_4_a_renewal_answered_after_the_deadline_does_not_bring_the_lease_back) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  auto const deadline = held.deadline();
  advance(held.remaining() - ttl() / 10);
  NEEDS(fixture_->delay_replies(a_, ttl() / 5), "answer late");
  EXPECT_EQ(renew(held), errc::lost);
  EXPECT_FALSE(held.held());
  EXPECT_EQ(held.deadline(), deadline);
  EXPECT_FALSE(b_.try_acquire("x", with_ttl())) << "the engine did extend it";
}

TEST_P(conformance, RENEW_5_the_first_failed_renewal_is_no_loss) {
  auto held = a_.acquire("x", with_ttl());
  NEEDS(fixture_->lose_requests(a_, 1), "lose a request");
  advance(3 * ttl());
  EXPECT_TRUE(held.held());
}

TEST_P(conformance, CONN_5_a_renewal_whose_reply_was_lost_is_repeated) {
  auto held = a_.acquire("x", with_ttl());
  NEEDS(fixture_->lose_replies(a_, 2), "lose a reply");
  advance(3 * ttl());
  EXPECT_TRUE(held.held());
}

TEST_P(conformance, RENEW_5_renewal_is_tried_until_the_deadline_and_not_beyond) {
  auto held = a_.acquire("x", with_ttl());
  NEEDS(fixture_->pause(a_), "pause a client");
  advance(ttl() * 9 / 10);
  EXPECT_TRUE(held.held()) << "silence alone is no loss";
  auto const deadline = held.deadline();
  advance(ttl() / 5);
  EXPECT_FALSE(held.held());
  EXPECT_EQ(held.deadline(), deadline);
}

TEST_P(conformance, RENEW_6_failing_renewals_of_some_delay_no_others) {
  std::vector<lease> held;
  for (int i = 0; i < 50; ++i) held.push_back(a_.acquire("x" + std::to_string(i), with_ttl()));
  NEEDS(fixture_->lose_requests(a_, 20), "lose a request");
  advance(3 * ttl());
  for (auto const& l : held) EXPECT_TRUE(l.held()) << l.name();
}

TEST_P(conformance, RENEW_7_a_ttl_below_the_minimum_is_refused) {
  std::error_code ec;
  diagnostics why;
  EXPECT_FALSE(a_.acquire("x", {.ttl = traits().ttl_min - 1ns}, {}, ec, &why));
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_NE(why.message().find("ttl"), std::string_view::npos) << why.message();
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, RENEW_9_zero_negative_and_oversized_ttls_are_refused) {
  for (auto const bad : {duration::zero(), duration(-1), duration::min(), duration::max(), traits().ttl_max + 1ns}) {
    std::error_code ec;
    EXPECT_FALSE(a_.acquire("x", {.ttl = bad}, {}, ec)) << bad.count();
    EXPECT_EQ(ec, errc::bad_option) << bad.count();
  }
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, RENEW_8_the_deadline_comes_before_the_engines_own_expiry) {
  auto held = a_.acquire("x", with_ttl());
  for (int i = 0; i < 3; ++i) {
    auto const seen = b_.inspect("x").holders;
    ASSERT_EQ(seen.size(), 1U);
    if (seen.front().expires_at) {
      EXPECT_LT(held.deadline(), *seen.front().expires_at);
    }
    advance(ttl() / 2);
  }
}

TEST_P(conformance, RENEW_10_max_hold_ends_a_lease_however_often_it_is_renewed) {
  auto held = a_.acquire("x", {.ttl = ttl(), .max_hold = 2 * ttl()});
  advance(ttl() * 3 / 2);
  EXPECT_TRUE(held.held());
  EXPECT_LE(held.deadline(), held.acquired_at() + 2 * ttl());
  advance(ttl());
  EXPECT_FALSE(held.held());
  EXPECT_EQ(held.error(), errc::lost);
  EXPECT_TRUE(held.lost().stop_requested() || eventually([&] { return held.lost().stop_requested(); }));
  EXPECT_TRUE(eventually([&] { return is_free("x"); }, 2 * ttl()));
}

TEST_P(conformance, RENEW_11_renewal_stops_with_the_handle) {
  auto held = a_.acquire("x", with_ttl());
  advance(ttl());
  EXPECT_EQ(release(held), std::error_code{});
  auto const before = fixture_->requests();
  NEEDS(before.has_value(), "count requests");
  advance(3 * ttl());
  EXPECT_EQ(fixture_->requests(), before);
}

TEST_P(conformance, RENEW_11_renewal_stops_with_a_release_that_failed) {
  {
    auto held = a_.acquire("x", with_ttl());
    NEEDS(fixture_->pause(a_), "pause a client");
    EXPECT_TRUE(release(held));
  }
  fixture_->resume(a_);
  EXPECT_TRUE(eventually([&] { return is_free("x"); }, 2 * ttl()));
}

TEST_P(conformance, RENEW_13_many_leases_are_all_kept) {
  bool const by_one_request_each = GetParam().label == "cosmos";
  auto const count = GetParam().label == "mem" ? 10'000 : by_one_request_each ? 100 : 500;
  std::vector<lease> held;
  held.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) held.push_back(a_.acquire("x" + std::to_string(i), with_ttl()));
  advance(3 * ttl());
  int lost = 0;
  for (auto const& l : held) lost += !l.held();
  EXPECT_EQ(lost, 0);
}

TEST_P(conformance, RENEW_14_manual_renewal_extends_and_nothing_else_does) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  auto const first = held.deadline();
  advance(ttl() / 2);
  EXPECT_EQ(held.deadline(), first);
  EXPECT_EQ(renew(held), std::error_code{});
  EXPECT_GE(held.deadline(), first + ttl() / 3);
  advance(ttl() * 3 / 4);
  EXPECT_TRUE(held.held());
  advance(ttl() / 2);
  EXPECT_FALSE(held.held());
}

TEST_P(conformance, RENEW_15_automatic_renewal_keeps_a_lease_and_excludes_all_the_while) {
  auto held = a_.acquire("x", with_ttl());
  for (int i = 0; i < 8; ++i) {
    advance(ttl() / 2);
    EXPECT_TRUE(held.held());
    EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
  }
}

TEST_P(conformance, RENEW_16_stop_is_requested_at_the_latest_at_the_deadline) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  auto const lost = held.lost();
  advance(ttl() / 2);
  EXPECT_FALSE(lost.stop_requested());
  advance(ttl() / 2);
  EXPECT_TRUE(eventually([&] { return lost.stop_requested(); }, ttl() / 4));
}

}  // namespace
}  // namespace leasehold::conformance
