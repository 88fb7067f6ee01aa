// Decides who may hold together: readers, permits, and never a writer beside anybody.
#include "conformance/suite.hpp"

#include <vector>

namespace leasehold::conformance {
namespace {

acquire_options reader(duration ttl) { return {.ttl = ttl, .mode = mode::reader()}; }
acquire_options permit(duration ttl, std::uint32_t of) { return {.ttl = ttl, .mode = mode::semaphore(of)}; }

TEST_P(conformance, SHARED_0_readers_hold_together_and_exclude_a_writer) {
  NEEDS(traits().shared, "share a name among readers");
  auto one = a_.acquire("x", reader(30s));
  auto two = b_.acquire("x", reader(30s));
  EXPECT_TRUE(one.held() && two.held());
  EXPECT_EQ(a_.inspect("x").holders.size(), 2U);
  EXPECT_FALSE(b_.try_acquire("x"));
  EXPECT_EQ(release(one), std::error_code{});
  EXPECT_FALSE(b_.try_acquire("x"));
  EXPECT_EQ(release(two), std::error_code{});
  auto const writer = b_.try_acquire("x");
  EXPECT_TRUE(writer);
  EXPECT_FALSE(a_.try_acquire("x", reader(30s)));
}

TEST_P(conformance, SHARED_1_two_readers_that_want_to_write_are_refused_not_stuck) {
  NEEDS(traits().shared, "share a name among readers");
  auto const one = a_.acquire("x", reader(30s));
  auto const two = b_.acquire("x", reader(30s));
  auto const wait = fixture_->is_virtual() ? duration(2s) : duration(100ms);
  pending first(a_, "x", {.ttl = ttl_long(), .wait = wait});
  pending second(b_, "x", {.ttl = ttl_long(), .wait = wait});
  EXPECT_FALSE(finish(first));
  EXPECT_FALSE(finish(second));
  EXPECT_EQ(first.error(), errc::timed_out);
  EXPECT_EQ(second.error(), errc::timed_out);
  EXPECT_TRUE(one.held() && two.held());
}

TEST_P(conformance, SHARED_2_a_waiting_writer_is_not_starved_by_readers) {
  NEEDS(traits().shared && traits().waiting == waiting::fifo, "keep a fair line of readers and writers");
  auto first = a_.acquire("x", reader(30s));
  pending writer(b_, "x", {.ttl = ttl_long()});
  ASSERT_TRUE(await_waiters("x", 1));
  EXPECT_FALSE(a_.try_acquire("x", reader(30s)));
  pending late(a_, "x", reader(30s));
  ASSERT_TRUE(await_waiters("x", 2));
  EXPECT_EQ(release(first), std::error_code{});
  auto written = finish(writer);
  ASSERT_TRUE(written);
  EXPECT_FALSE(late.is_done());
  EXPECT_EQ(release(written), std::error_code{});
  EXPECT_TRUE(finish(late));
}

TEST_P(conformance, SHARED_2_readers_that_wait_together_are_let_in_together) {
  NEEDS(traits().shared && traits().waiting == waiting::fifo, "keep a fair line of readers and writers");
  auto writer = a_.acquire("x", {.ttl = ttl_long()});
  pending one(a_, "x", reader(30s));
  pending two(b_, "x", reader(30s));
  ASSERT_TRUE(await_waiters("x", 2));
  EXPECT_EQ(release(writer), std::error_code{});
  auto const first = finish(one);
  auto const second = finish(two);
  EXPECT_TRUE(first.held() && second.held());
}

TEST_P(conformance, SHARED_3_one_dead_holder_frees_one_slot_only) {
  NEEDS(traits().semaphore, "count permits");
  auto const doomed = fixture_->start_party("x", {.ttl = ttl(), .mode = mode::semaphore(2)});
  NEEDS(doomed != nullptr, "run a second party");
  doomed->await_grant();
  auto const other = a_.acquire("x", permit(ttl(), 2));
  EXPECT_FALSE(b_.try_acquire("x", permit(ttl(), 2)));
  doomed->kill();
  std::optional<try_result> next;
  ASSERT_TRUE(eventually(
      [&] {
        auto tried = b_.try_acquire("x", permit(ttl(), 2));
        if (tried) next.emplace(std::move(tried));
        return next.has_value();
      },
      2 * ttl()));
  EXPECT_TRUE(other.held());
  EXPECT_FALSE(a_.try_acquire("x", permit(ttl(), 2)));
}

TEST_P(conformance, SHARED_4_there_are_never_more_permits_than_were_counted) {
  NEEDS(traits().semaphore, "count permits");
  std::vector<lease> held;
  for (int i = 0; i < 3; ++i) held.push_back(a_.acquire("x", permit(30s, 3)));
  EXPECT_FALSE(b_.try_acquire("x", permit(30s, 3)));
  EXPECT_EQ(release(held[1]), std::error_code{});
  auto const fourth = b_.try_acquire("x", permit(30s, 3));
  EXPECT_TRUE(fourth);
  EXPECT_FALSE(b_.try_acquire("x", permit(30s, 3)));
}

TEST_P(conformance, SHARED_5_a_smaller_capacity_drains) {
  NEEDS(traits().semaphore, "count permits");
  auto one = a_.acquire("x", permit(30s, 3));
  auto two = a_.acquire("x", permit(30s, 3));
  auto three = a_.acquire("x", permit(30s, 3));
  EXPECT_FALSE(b_.try_acquire("x", permit(30s, 2)));
  EXPECT_EQ(release(one), std::error_code{});
  EXPECT_FALSE(b_.try_acquire("x", permit(30s, 2)));
  EXPECT_EQ(release(two), std::error_code{});
  EXPECT_TRUE(b_.try_acquire("x", permit(30s, 2)));
}

TEST_P(conformance, SHARED_7_a_writers_token_exceeds_every_earlier_readers) {
  NEEDS(traits().shared && fences(), "share a name among readers, with tokens");
  auto one = a_.acquire("x", reader(30s));
  auto two = b_.acquire("x", reader(30s));
  auto const largest = std::max(one.token(), two.token());
  one.release();
  two.release();
  auto writer = a_.acquire("x");
  EXPECT_GT(writer.token(), largest);
  auto const written = writer.token();
  writer.release();
  EXPECT_GT(b_.acquire("x", reader(30s)).token(), written);
}

TEST_P(conformance, NAME_4_a_semaphore_shares_its_name_with_nothing) {
  NEEDS(traits().semaphore, "count permits");
  auto const mismatch = [&](acquire_options const& options) {
    return b_.try_acquire("x", options, std::nothrow).error() == errc::mode_mismatch;
  };
  {
    auto const counted = a_.acquire("x", permit(30s, 2));
    EXPECT_TRUE(mismatch({}));
    if (traits().shared) {
      EXPECT_TRUE(mismatch(reader(30s)));
    }
  }
  {
    auto const mutex = a_.acquire("x");
    EXPECT_TRUE(mismatch(permit(30s, 2)));
  }
  EXPECT_TRUE(b_.try_acquire("x", permit(30s, 2))) << "a free name is of no kind";
}

TEST_P(conformance, SHARED_11_permits_are_numbered_where_the_engine_says_so) {
  NEEDS(traits().semaphore, "count permits");
  auto const one = a_.acquire("x", permit(30s, 2));
  auto const two = b_.acquire("x", permit(30s, 2));
  EXPECT_EQ(one.slot().has_value(), traits().slots);
  EXPECT_EQ(two.slot().has_value(), traits().slots);
  if (traits().slots) {
    EXPECT_NE(one.slot(), two.slot());
    EXPECT_LT(std::max(*one.slot(), *two.slot()), 2U);
  }
  EXPECT_FALSE(a_.acquire("y").slot());
}

TEST_P(conformance, TRAIT_1_what_the_traits_deny_is_refused) {
  std::error_code ec;
  if (!traits().shared) {
    EXPECT_FALSE(a_.acquire("x", reader(ttl()), {}, ec));
    EXPECT_EQ(ec, errc::unsupported);
  }
  if (!traits().semaphore) {
    EXPECT_FALSE(a_.acquire("x", permit(ttl(), 2), {}, ec));
    EXPECT_EQ(ec, errc::unsupported);
  }
  auto const held = a_.acquire("x");
  EXPECT_EQ(held.has_token(), fences());
  if (!fences()) {
    EXPECT_THROW(static_cast<void>(held.token()), error);
  }
  EXPECT_EQ(held.deadline() == time_point::max(), !traits().ttl_default.has_value());
}

}  // namespace
}  // namespace leasehold::conformance
