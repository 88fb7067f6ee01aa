// Decides whether leasehold::mutex is what the standard library takes for a lock.
#include "conformance/suite.hpp"

#include <mutex>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, MUTEX_1_it_works_in_unique_lock_and_scoped_lock) {
  mutex x(a_, "x");
  mutex y(a_, "y");
  {
    std::scoped_lock const both(x, y);
    EXPECT_TRUE(x.current().held());
    EXPECT_EQ(x.current().name(), "x");
    EXPECT_EQ(x.current().has_token(), fences());
    EXPECT_FALSE(b_.try_acquire("x"));
    EXPECT_FALSE(b_.try_acquire("y"));
  }
  EXPECT_TRUE(is_free("x") && is_free("y"));
  std::unique_lock guard(x);
  EXPECT_TRUE(guard.owns_lock());
  guard.unlock();
  EXPECT_TRUE(guard.try_lock());
}

TEST_P(conformance, MUTEX_2_timed_tries_end_in_time) {
  auto const blocker = b_.acquire("x", {.ttl = ttl_long()});
  mutex x(a_, "x", {.ttl = ttl_long()});
  EXPECT_FALSE(x.try_lock());
  auto const wait = fixture_->is_virtual() ? duration(2s) : duration(100ms);
  auto const from = now();
  auto timed = std::async(std::launch::async, [&] { return x.try_lock_for(wait); });
  EXPECT_TRUE(eventually([&] { return timed.wait_for(1ms) == std::future_status::ready; }));
  EXPECT_FALSE(timed.get());
  EXPECT_GE(now() - from, wait);
  EXPECT_FALSE(x.try_lock_for(0s));
  EXPECT_FALSE(x.try_lock_until(std::chrono::steady_clock::now()));
}

TEST_P(conformance, MUTEX_3_one_object_shared_by_threads_excludes_them) {
  mutex x(a_, "x", {.ttl = ttl_long()});
  int inside = 0;
  int most = 0;
  std::uint64_t last = 0;
  std::vector<std::future<void>> threads;
  for (int i = 0; i < 4; ++i) {
    threads.push_back(std::async(std::launch::async, [&] {
      for (int n = 0; n < 100; ++n) {
        std::unique_lock const guard(x);
        most = std::max(most, ++inside);
        if (x.current().has_token()) {
          EXPECT_GT(x.current().token(), last);
          last = x.current().token();
        }
        --inside;
      }
    }));
  }
  for (auto& t : threads) EXPECT_TRUE(eventually([&] { return t.wait_for(1ms) == std::future_status::ready; }, 600s));
  EXPECT_EQ(most, 1);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, MUTEX_4_bad_names_and_options_throw_at_construction) {
  EXPECT_THROW(mutex(a_, ""), error);
  EXPECT_THROW(mutex(a_, "x", {.ttl = -1s}), error);
}

TEST_P(conformance, MUTEX_5_a_mutex_can_be_locked_again_after_its_lease_was_lost) {
  mutex x(a_, "x", {.ttl = ttl(), .renew = renewal::manual});
  x.lock();
  advance(ttl() + ttl() / 4);
  EXPECT_FALSE(x.current().held());
  auto other = try_when_over(b_, "x", with_ttl());
  ASSERT_TRUE(other);
  x.unlock();
  EXPECT_TRUE(other->held()) << "the late unlock disturbed nobody";
  EXPECT_FALSE(x.try_lock());
  other->release();
  EXPECT_TRUE(x.try_lock());
  EXPECT_TRUE(x.current().held());
  x.unlock();
}

}  // namespace
}  // namespace leasehold::conformance
