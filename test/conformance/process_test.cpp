// Decides what threads, exceptions, forks and deaths do to a lease.
#include "conformance/suite.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, PROC_2_release_renew_and_held_may_run_at_once) {
  for (int round = 0; round < 30; ++round) {
    auto held = a_.acquire("x", with_ttl());
    std::atomic<bool> released = false;
    std::atomic<int> resurrections = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
      threads.emplace_back([&] {
        bool gone = false;
        for (int n = 0; n < 50; ++n) {
          bool const now_held = held.held();
          resurrections += gone && now_held;
          gone = !now_held;
          std::error_code ec;
          held.renew(ec);
          static_cast<void>(held.lost());
          static_cast<void>(held.remaining());
        }
      });
    }
    threads.emplace_back([&] {
      EXPECT_EQ(release(held), std::error_code{});
      released = true;
    });
    for (auto& t : threads) t.join();
    EXPECT_EQ(resurrections, 0);
    EXPECT_FALSE(held.held());
    ASSERT_TRUE(is_free("x"));
  }
}

TEST_P(conformance, PROC_3_a_lease_outlives_the_thread_that_took_it) {
  lease held;
  std::thread([&] { held = a_.acquire("x", with_ttl()); }).join();
  advance(2 * ttl());
  EXPECT_TRUE(held.held());
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, PROC_3_a_lease_without_ttl_outlives_the_thread_that_took_it) {
  NEEDS(!traits().ttl_default, "hold without a TTL");
  lease held;
  std::thread([&] { held = a_.acquire("x"); }).join();
  EXPECT_TRUE(held.held());
  EXPECT_FALSE(b_.try_acquire("x"));
  std::thread([&] { EXPECT_EQ(release(held), std::error_code{}); }).join();
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, PROC_4_an_exception_in_the_critical_section_releases_and_passes) {
  mutex m(a_, "x");
  auto const work = [&] {
    std::scoped_lock const guard(m);
    throw std::runtime_error("the user's own");
  };
  EXPECT_THROW(work(), std::runtime_error);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, PROC_5_leases_outlive_their_store) {
  auto gone = fixture_->client();
  auto held = gone.acquire("x", with_ttl());
  gone = store();
  advance(2 * ttl());
  EXPECT_TRUE(held.held());
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, PROC_6_a_forked_childs_copy_is_void_and_releases_nothing) {
  auto held = a_.acquire("x", with_ttl());
  auto const child = ::fork();
  if (child == 0) {
    std::error_code ec;
    bool const void_copy = !held.held() && held.error() == errc::lost;
    held.release(ec);
    bool const refused = a_.try_acquire("y", {}, std::nothrow).error() == errc::unsupported;
    ::_exit(void_copy && ec && refused ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_TRUE(held.held());
  EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
}

TEST_P(conformance, PROC_7_a_dead_holders_name_is_free_as_the_traits_say) {
  auto const doomed = fixture_->start_party("x", {.ttl = traits().ttl_default ? std::optional(ttl()) : std::nullopt});
  NEEDS(doomed != nullptr, "run a second party");
  auto const token = doomed->await_grant();
  EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
  doomed->kill();
  auto const killed_at = now();
  if (!traits().survives_holder_crash_at_once) {
    auto const tried = b_.try_acquire("x", with_ttl());
    EXPECT_TRUE(!tried || now() - killed_at > ttl() / 2)
        << "a try may wait for the rest of the dead one's time, and no less";
  }
  pending waiter(b_, "x", with_ttl());
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  if (fences()) {
    EXPECT_GT(next.token(), token);
  }
}

TEST_P(conformance, PROC_8_a_dead_holder_lets_a_waiter_in) {
  auto const doomed = fixture_->start_party("x", {.ttl = traits().ttl_default ? std::optional(ttl()) : std::nullopt});
  NEEDS(doomed != nullptr, "run a second party");
  doomed->await_grant();
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  auto const from = now();
  doomed->kill();
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  if (traits().survives_holder_crash_at_once) {
    EXPECT_LE(now() - from, 1s);
  }
  EXPECT_LE(next.acquired_at() - from, ttl() + 2s);
}

}  // namespace
}  // namespace leasehold::conformance
