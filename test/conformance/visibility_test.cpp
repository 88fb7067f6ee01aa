// Decides what others can see of a lock.
#include "conformance/suite.hpp"

#include <array>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, INFO_1_inspect_tells_who_holds_and_why) {
  std::array<label, 2> const labels{label{"job", "nightly"}, label{"run", "7"}};
  auto const held = a_.acquire("x", {.ttl = ttl(), .identity = "batch-1", .reason = "monthly close", .labels = labels});
  auto const info = b_.inspect("x");
  EXPECT_EQ(info.name, "x");
  EXPECT_EQ(info.state, lock_state::held);
  EXPECT_TRUE(info.mode.is_exclusive());
  ASSERT_EQ(info.holders.size(), 1U);
  auto const& who = info.holders.front();
  EXPECT_EQ(who.identity, "batch-1");
  EXPECT_EQ(who.reason, "monthly close");
  ASSERT_EQ(who.labels.size(), 2U);
  EXPECT_EQ(who.labels[0], (std::pair<std::string, std::string>("job", "nightly")));
  EXPECT_EQ(who.labels[1], (std::pair<std::string, std::string>("run", "7")));
  EXPECT_EQ(who.ttl, ttl());
  EXPECT_FALSE(who.foreign);
  if (fences()) {
    EXPECT_EQ(who.token, held.token());
  }
}

TEST_P(conformance, INFO_2_a_free_name_is_no_error) {
  auto const info = a_.inspect("nobody");
  EXPECT_EQ(info.name, "nobody");
  EXPECT_EQ(info.state, lock_state::free);
  EXPECT_TRUE(info.holders.empty());
  EXPECT_TRUE(info.waiters.empty());
}

TEST_P(conformance, INFO_3_waiters_are_seen_in_line_order) {
  NEEDS(fixture_->shows_waiters(), "show who waits");
  auto const held = a_.acquire("x", {.ttl = ttl_long()});
  pending first(a_, "x", {.ttl = ttl_long(), .identity = "first"});
  ASSERT_TRUE(await_waiters("x", 1));
  pending second(b_, "x", {.ttl = ttl_long(), .identity = "second", .reason = "its turn"});
  ASSERT_TRUE(await_waiters("x", 2));
  auto const waiters = b_.inspect("x").waiters;
  ASSERT_EQ(waiters.size(), 2U);
  EXPECT_EQ(waiters[0].identity, "first");
  EXPECT_EQ(waiters[1].identity, "second");
  EXPECT_EQ(waiters[1].reason, "its turn");
  auto const tried = b_.try_acquire("x");
  EXPECT_FALSE(tried);
  if (tried.ahead()) {
    EXPECT_EQ(*tried.ahead(), 2U);
  }
}

TEST_P(conformance, INFO_4_list_is_sorted_filtered_and_forgets_what_is_free) {
  auto const one = a_.acquire("b/1");
  auto two = a_.acquire("a/2");
  auto const three = a_.acquire("a/1");
  auto const names = [&](std::string_view prefix) {
    std::string all;
    for (auto const& info : b_.list(prefix)) all += info.name + " ";
    return all;
  };
  EXPECT_EQ(names(""), "a/1 a/2 b/1 ");
  EXPECT_EQ(names("a/"), "a/1 a/2 ");
  EXPECT_EQ(names("c"), "");
  EXPECT_EQ(release(two), std::error_code{});
  EXPECT_EQ(names("a/"), "a/1 ");
}

TEST_P(conformance, INFO_5_a_refusal_names_the_holder_and_when_to_come_again) {
  auto const held = a_.acquire("x", {.ttl = ttl(), .identity = "the holder"});
  auto const busy = b_.try_acquire("x", with_ttl());
  ASSERT_FALSE(busy);
  ASSERT_NE(busy.holder(), nullptr);
  EXPECT_EQ(busy.holder()->identity, "the holder");
  EXPECT_LE(busy.retry_after(), ttl());
  if (fences()) {
    EXPECT_EQ(busy.holder()->token, held.token());
  }
}

TEST_P(conformance, INFO_6_a_diagnosis_disturbs_nobody) {
  auto const held = a_.acquire("x", with_ttl());
  for (auto const& f : b_.diagnose()) {
    EXPECT_FALSE(f.id.empty());
    EXPECT_NE(f.severity, finding::level::fail) << f.id << ": " << f.text;
  }
  EXPECT_TRUE(held.held());
  EXPECT_EQ(b_.list().size(), 1U);
}

}  // namespace
}  // namespace leasehold::conformance
