// Decides whether the history checker can be trusted: it must reject every kind of bad history, and accept good ones.
#include "support/history.hpp"

#include <gtest/gtest.h>

namespace leasehold::test {
namespace {

time_point at(int ms) { return time_point{} + std::chrono::milliseconds(ms); }

operation granted(std::uint32_t client, mode m, int invoked, int returned, int until, std::uint64_t token) {
  operation o{.client = client, .name = "x", .mode = m, .invoked = at(invoked), .returned = at(returned)};
  o.outcome = outcome::granted;
  o.token = token;
  o.held_until = at(until);
  o.gone_by = at(until);
  return o;
}

operation other(outcome how, std::uint32_t client, int invoked, int returned) {
  operation o{
      .client = client, .name = "x", .mode = mode::exclusive(), .invoked = at(invoked), .returned = at(returned)};
  o.outcome = how;
  o.gone_by = how == outcome::unknown ? time_point::max() : at(returned);
  return o;
}

bool rejects(std::vector<operation> const& history, violation_kind kind, rules const& which = {.refusals = true}) {
  auto const found = check_history(history, which);
  for (auto const& v : found) {
    if (v.kind == kind) return true;
  }
  return false;
}

auto const exclusive = mode::exclusive();
auto const reader = mode::reader();

TEST(history, accepts_holders_one_after_the_other) {
  std::vector<operation> const good{granted(1, exclusive, 0, 1, 5, 1), granted(2, exclusive, 2, 5, 9, 2)};
  EXPECT_EQ(to_string(check_history(good, {.refusals = true})), "");
}

TEST(history, rejects_two_exclusive_holders_at_once) {
  EXPECT_TRUE(rejects({granted(1, exclusive, 0, 1, 6, 1), granted(2, exclusive, 2, 5, 9, 2)}, violation_kind::overlap));
}

TEST(history, keeps_names_apart) {
  auto elsewhere = granted(2, exclusive, 2, 5, 9, 2);
  elsewhere.name = "y";
  EXPECT_EQ(to_string(check_history(std::vector{granted(1, exclusive, 0, 1, 6, 7), elsewhere})), "");
}

TEST(history, rejects_a_reader_beside_a_writer) {
  EXPECT_TRUE(rejects({granted(1, reader, 0, 1, 6, 1), granted(2, exclusive, 2, 5, 9, 2)}, violation_kind::overlap));
  EXPECT_TRUE(rejects({granted(1, exclusive, 0, 1, 6, 1), granted(2, reader, 2, 5, 9, 2)}, violation_kind::overlap));
}

TEST(history, accepts_readers_together_that_share_a_token) {
  EXPECT_EQ(to_string(check_history(std::vector{granted(1, reader, 0, 1, 6, 4), granted(2, reader, 2, 3, 9, 4)})), "");
}

TEST(history, rejects_permits_beyond_the_least_capacity) {
  auto const two = mode::semaphore(2);
  std::vector<operation> const full{granted(1, two, 0, 1, 9, 1), granted(2, two, 0, 2, 9, 2)};
  EXPECT_EQ(to_string(check_history(full)), "");
  auto over = full;
  over.push_back(granted(3, mode::semaphore(3), 0, 3, 9, 3));
  EXPECT_TRUE(rejects(over, violation_kind::over_capacity));
}

TEST(history, rejects_a_permit_beside_a_reader) {
  EXPECT_TRUE(
      rejects({granted(1, mode::semaphore(2), 0, 1, 6, 1), granted(2, reader, 2, 5, 9, 2)}, violation_kind::overlap));
}

TEST(history, rejects_a_token_that_does_not_grow) {
  EXPECT_TRUE(
      rejects({granted(1, exclusive, 0, 1, 2, 5), granted(2, exclusive, 3, 4, 6, 5)}, violation_kind::token_order));
  EXPECT_TRUE(
      rejects({granted(1, exclusive, 0, 1, 2, 5), granted(2, exclusive, 3, 4, 6, 4)}, violation_kind::token_order));
}

TEST(history, rejects_a_token_out_of_the_order_of_holding) {
  // Asked for at the same time; the later holder has the smaller token.
  EXPECT_TRUE(
      rejects({granted(1, exclusive, 0, 1, 5, 8), granted(2, exclusive, 0, 6, 9, 7)}, violation_kind::token_order));
}

TEST(history, rejects_a_writer_with_the_token_of_an_earlier_reader) {
  EXPECT_TRUE(
      rejects({granted(1, reader, 0, 1, 2, 5), granted(2, exclusive, 3, 4, 6, 5)}, violation_kind::token_order));
}

TEST(history, rejects_a_grant_without_token_only_where_tokens_are_promised) {
  auto bare = granted(1, exclusive, 0, 1, 2, 5);
  bare.token.reset();
  EXPECT_TRUE(rejects({bare}, violation_kind::token_missing));
  EXPECT_EQ(to_string(check_history(std::vector{bare}, {.tokens = false})), "");
}

TEST(history, rejects_a_lease_that_comes_back) {
  auto zombie = granted(1, exclusive, 0, 1, 2, 5);
  zombie.sightings = {{at(1), true}, {at(2), false}, {at(3), true}};
  EXPECT_TRUE(rejects({zombie}, violation_kind::resurrected));
}

TEST(history, rejects_a_refusal_with_nobody_in_the_way) {
  EXPECT_TRUE(rejects({granted(1, exclusive, 0, 1, 2, 5), other(outcome::refused, 2, 3, 4)},
                      violation_kind::groundless_refusal));
  EXPECT_EQ(to_string(check_history(std::vector{granted(1, exclusive, 0, 1, 3, 5), other(outcome::refused, 2, 3, 4)},
                                    {.refusals = true})),
            "");
}

TEST(history, keeps_unknown_outcomes_open) {
  // It may have taken effect long after its client gave up: it explains a refusal, and forbids no grant.
  std::vector<operation> const good{other(outcome::unknown, 1, 0, 1), other(outcome::refused, 2, 30, 31),
                                    granted(3, exclusive, 0, 1, 90, 5)};
  EXPECT_EQ(to_string(check_history(good, {.refusals = true})), "");
  std::vector<operation> const failed{other(outcome::failed, 1, 0, 1), other(outcome::refused, 2, 30, 31)};
  EXPECT_TRUE(rejects(failed, violation_kind::groundless_refusal));
}

TEST(history, rejects_time_that_runs_backwards) {
  EXPECT_TRUE(rejects({granted(1, exclusive, 2, 1, 6, 1)}, violation_kind::malformed));
}

}  // namespace
}  // namespace leasehold::test
