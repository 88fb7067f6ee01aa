// Decides whether two steps of one operation let something in between: another thread acts at a point that would be hit by chance.
#include "engines/local/sys.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <string_view>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

/// Calls `what` once, at the first store that the function `where` makes on this thread.
std::function<void()> what;
std::string_view where;
thread_local bool is_watched = false;

void at_store(char const* function) {
  if (!is_watched || where != function) return;
  is_watched = false;
  what();
}

TEST(race, OWN_10_a_release_during_an_eviction_lets_no_other_grant_come_in_between) {
  std::string folder = std::filesystem::temp_directory_path() / "leasehold-race-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("mkdtemp " + folder);
  auto const locks = open("local:" + folder + "/store");
  auto held = locks.acquire("x", {.ttl = 60s, .renew = renewal::manual});
  lease next;
  std::future<void> rival;
  what = [&] {
    rival = std::async(std::launch::async, [&] {
      std::error_code ec;
      held.release(ec);
      if (auto got = locks.try_acquire("x", {.ttl = 30s, .renew = renewal::manual})) next = std::move(*got);
    });
    // It has to wait for the eviction, and so does not come to its end here.
    EXPECT_EQ(rival.wait_for(200ms), std::future_status::timeout);
  };
  where = "evict";
  is_watched = true;
  local::crash_hook = at_store;
  std::error_code const evicted = locks.evict("x", held.token(), {.reason = "test"}, std::nothrow).error();
  local::crash_hook = nullptr;
  ASSERT_FALSE(is_watched) << "the eviction makes no such store any more";
  rival.wait();
  EXPECT_FALSE(evicted);
  EXPECT_FALSE(next) << "the name is held off";
  if (next) next.renew();  // throws where the eviction of another ended it
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace leasehold::test
