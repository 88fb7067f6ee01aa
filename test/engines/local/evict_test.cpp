// Decides whether an eviction leaves the evicted time to stop.
#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace leasehold::test {
namespace {
using namespace std::chrono_literals;

class evict : public testing::Test {
 protected:
  evict() {
    std::string pattern = (std::filesystem::temp_directory_path() / "leasehold-evict-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
    locks = open("local:" + (directory_ / "store").string());
  }
  ~evict() override {
    locks.close(1s);
    std::filesystem::remove_all(directory_);
  }
  store locks;

 private:
  std::filesystem::path directory_;
};

TEST_F(evict, OWN_10_without_a_ttl_the_name_stays_busy_for_the_lock_delay) {
  auto const old = locks.acquire("x", {.lock_delay = 200ms});
  auto const evicted_at = clock::now();
  locks.evict("x", old.token(), {.reason = "test"});
  EXPECT_FALSE(old.held());
  EXPECT_FALSE(locks.try_acquire("x"));
  EXPECT_EQ(locks.inspect("x").state, lock_state::held_off);
  auto const next = locks.acquire("x", {.wait = 10s});
  EXPECT_GE(clock::now() - evicted_at, 200ms);
  EXPECT_GT(next.token(), old.token());
}

TEST_F(evict, OWN_10_a_permit_stays_taken_for_the_lock_delay) {
  for (auto const ttl : {std::optional<duration>(), std::optional<duration>(100ms)}) {
    auto const old = locks.acquire("x", {.ttl = ttl, .mode = mode::semaphore(1), .lock_delay = 400ms});
    auto const evicted_at = clock::now();
    locks.evict("x", old.token(), {.reason = "test"});
    EXPECT_FALSE(old.held());
    EXPECT_FALSE(locks.try_acquire("x", {.mode = mode::semaphore(1)}));
    auto const next = locks.acquire("x", {.wait = 10s, .mode = mode::semaphore(1)});
    EXPECT_GE(clock::now() - evicted_at, 400ms);
    EXPECT_GT(next.token(), old.token());
  }
}

TEST_F(evict, OWN_10_now_frees_the_name_at_once) {
  auto const old = locks.acquire("x", {.lock_delay = 1h});
  locks.evict("x", old.token(), {.reason = "test", .now = true});
  EXPECT_FALSE(old.held());
  EXPECT_TRUE(locks.try_acquire("x"));
  auto const permit = locks.acquire("y", {.mode = mode::semaphore(1), .lock_delay = 1h});
  locks.evict("y", permit.token(), {.reason = "test", .now = true});
  EXPECT_TRUE(locks.try_acquire("y", {.mode = mode::semaphore(1)}));
}

}  // namespace
}  // namespace leasehold::test
