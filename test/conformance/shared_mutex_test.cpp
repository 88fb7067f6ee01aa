// Decides whether leasehold::shared_mutex and leasehold::semaphore are what the standard library takes for them.
#include "conformance/suite.hpp"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, SHARED_9_it_works_in_shared_lock_and_unique_lock) {
  NEEDS(traits().shared, "share a name among readers");
  shared_mutex here(a_, "x", {.ttl = ttl_long()});
  shared_mutex there(b_, "x", {.ttl = ttl_long()});
  {
    std::shared_lock const one(here);
    std::shared_lock const two(there, std::try_to_lock);
    EXPECT_TRUE(two.owns_lock());
    EXPECT_TRUE(here.current_shared().held() && there.current_shared().held());
    EXPECT_EQ(here.current_shared().mode(), mode::reader());
    EXPECT_FALSE(std::async(std::launch::async, [&] { return here.try_lock(); }).get()) << "a writer beside readers";
  }
  std::unique_lock const writer(here);
  EXPECT_EQ(here.current().mode(), mode::exclusive());
  EXPECT_FALSE(there.try_lock_shared());
  EXPECT_FALSE(there.try_lock_shared_for(0s));
  EXPECT_FALSE(there.try_lock_shared_until(std::chrono::steady_clock::now()));
  EXPECT_FALSE(there.try_lock());
}

TEST_P(conformance, SHARED_1_a_thread_that_reads_and_wants_to_write_is_refused_at_once) {
  NEEDS(traits().shared, "share a name among readers");
  shared_mutex x(a_, "x", {.ttl = ttl_long(), .wait = 100ms});
  std::shared_lock reading(x);
  try {
    x.lock();
    FAIL() << "upgraded";
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::unsupported);
    EXPECT_FALSE(e.details().hint().empty());
  }
  EXPECT_THROW(static_cast<void>(x.try_lock_for(1s)), error);
  EXPECT_TRUE(x.current_shared().held()) << "still a reader";
  reading.unlock();
  std::unique_lock const writing(x);
  EXPECT_TRUE(x.current().held());
}

TEST_P(conformance, SHARED_9_each_threads_reading_lease_is_its_own) {
  NEEDS(traits().shared, "share a name among readers");
  shared_mutex x(a_, "x", {.ttl = ttl_long()});
  x.lock_shared();
  auto* const mine = &x.current_shared();
  std::thread([&] {
    x.lock_shared();
    EXPECT_NE(&x.current_shared(), mine);
    x.unlock_shared();
  }).join();
  EXPECT_EQ(&x.current_shared(), mine);
  EXPECT_TRUE(mine->held());
  EXPECT_EQ(b_.inspect("x").holders.size(), 1U);
  std::thread([&] { x.unlock_shared(); }).join();
  EXPECT_TRUE(is_free("x")) << "another thread may give it back";
}

TEST_P(conformance, SHARED_8_shared_mutexes_keep_readers_and_writers_apart) {
  NEEDS(traits().shared, "share a name among readers");
  shared_mutex here(a_, "x", {.ttl = ttl_long()});
  shared_mutex there(b_, "x", {.ttl = ttl_long()});
  std::atomic<int> readers{0};
  std::atomic<int> writers{0};
  std::atomic<int> wrong{0};
  auto const work = [&](shared_mutex& x) {
    for (int n = 0; n < 20; ++n) {
      if (n % 4 == 0) {
        std::unique_lock const writing(x);
        if (++writers != 1 || readers != 0) ++wrong;
        --writers;
      } else {
        std::shared_lock const reading(x);
        ++readers;
        if (writers != 0) ++wrong;
        --readers;
      }
    }
  };
  std::vector<std::future<void>> threads;
  for (auto* x : {&here, &here, &there, &there})
    threads.push_back(std::async(std::launch::async, [&, x] { work(*x); }));
  for (auto& each : threads) EXPECT_TRUE(eventually([&] { return each.wait_for(1ms) == std::future_status::ready; }));
  EXPECT_EQ(wrong, 0);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, SHARED_10_a_semaphore_gives_permits_and_takes_them_back) {
  NEEDS(traits().semaphore, "count permits");
  semaphore here(a_, "x", 3, {.ttl = ttl_long()});
  semaphore there(b_, "x", 3, {.ttl = ttl_long()});
  EXPECT_EQ(here.max(), 3U);
  here.acquire();
  EXPECT_TRUE(here.try_acquire());
  EXPECT_TRUE(there.try_acquire_for(0s));
  EXPECT_EQ(here.current().mode(), mode::semaphore(3));
  EXPECT_FALSE(there.try_acquire());
  EXPECT_FALSE(there.try_acquire_until(std::chrono::steady_clock::now()));
  auto waiting = std::async(std::launch::async, [&] { there.acquire(); });
  here.release(2);
  EXPECT_TRUE(eventually([&] { return waiting.wait_for(1ms) == std::future_status::ready; }));
  EXPECT_EQ(a_.inspect("x").holders.size(), 2U);
  there.release(2);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, SHARED_10_a_semaphore_gives_back_what_it_holds_when_it_ends) {
  NEEDS(traits().semaphore, "count permits");
  {
    semaphore doomed(a_, "x", 2, {.ttl = ttl_long()});
    doomed.acquire();
    doomed.acquire();
    EXPECT_FALSE(b_.try_acquire("x", {.ttl = ttl_long(), .mode = mode::semaphore(2)}));
  }
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, SHARED_10_what_is_no_semaphore_is_refused) {
  std::error_code none;
  auto const make = [&](std::uint32_t permits) -> std::error_code {
    try {
      semaphore(a_, "x", permits);
      return none;
    } catch (error const& e) {
      return e.code();
    }
  };
  EXPECT_EQ(make(0), errc::bad_option);
  EXPECT_EQ(make(mode::unbounded), errc::bad_option);
  EXPECT_EQ(make(2), traits().semaphore ? none : make_error_code(errc::unsupported));
  EXPECT_THROW(semaphore(store(), "x", 1), error);
  EXPECT_THROW(shared_mutex(store(), "x"), error);
}

TEST_P(conformance, NAME_4_a_semaphore_does_not_take_a_mutexs_name) {
  NEEDS(traits().semaphore, "count permits");
  mutex x(a_, "x", {.ttl = ttl_long()});
  std::unique_lock const guard(x);
  semaphore counted(b_, "x", 2, {.ttl = ttl_long()});
  try {
    counted.acquire();
    FAIL() << "a permit of a mutex";
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::mode_mismatch);
  }
}

}  // namespace
}  // namespace leasehold::conformance
