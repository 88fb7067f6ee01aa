// LOCAL-1, LOCAL-2, LOCAL-12: a process dies, or is stopped, after any one store instruction or system call of any operation; the
// next one finds a store in which everything can be had, nothing is granted twice, and tokens have only grown.
#include "crash_lab.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace leasehold::test {
namespace {

/// Everything with LEASEHOLD_CRASH_ALL=1 (soak); else every n-th point, so that the suite stays quick.
std::uint64_t stride(std::uint64_t n) { return std::getenv("LEASEHOLD_CRASH_ALL") != nullptr ? 1 : n; }

class crash : public testing::TestWithParam<scenario> {};

TEST_P(crash, LOCAL_1_killed_after_any_store_the_next_process_recovers) {
  crash_lab lab;
  bool const is_long = std::string(GetParam().name) == "recycle";
  std::uint64_t point = 1;
  for (;; point += is_long ? stride(97) : 1) {
    auto const struck = lab.strike(GetParam(), point, blow::kill);
    ASSERT_EQ(lab.find_damage(struck.token), "") << GetParam().name << ", killed at point " << point;
    if (!struck.reached) break;
  }
  EXPECT_GT(point, 5U) << "no crash points: was the engine built without them?";
  RecordProperty("points", static_cast<int>(point));
}

TEST_P(crash, LOCAL_1_killed_while_recovering_the_next_process_recovers) {
  crash_lab lab;
  scenario const& work = GetParam();
  scenario const recovery{"recovery", [](store const& s, auto const& note) {
                            for (auto const& name : scenario_names())
                              note(s.acquire(name, {.wait = std::chrono::seconds(10)}));
                          }};
  std::uint64_t const outer = stride(std::string(work.name) == "recycle" ? 997 : 11);
  for (std::uint64_t first = 3;; first += outer) {
    bool in_reach = false;
    for (std::uint64_t second = 1;; second += stride(13)) {
      auto const killed = lab.strike(work, first, blow::kill);
      auto const killed_again = lab.strike(recovery, second, blow::kill);
      in_reach = killed.reached;
      ASSERT_EQ(lab.find_damage(std::max(killed.token, killed_again.token)), "")
          << work.name << ", killed at point " << first << ", then at point " << second << " of the recovery";
      if (!killed.reached || !killed_again.reached) break;
    }
    if (!in_reach) break;
  }
}

TEST_P(crash, LOCAL_12_stopped_inside_an_operation_others_are_told_or_go_on) {
  crash_lab lab;
  scenario const& work = GetParam();
  bool const is_slow = std::getenv("LEASEHOLD_CRASH_ALL") == nullptr;
  bool const is_long = std::string(work.name) == "complete";  // it writes a result byte by byte
  std::uint64_t const step = std::string(work.name) == "recycle" ? 1499 : !is_slow ? 3 : is_long ? 293 : 37;
  for (std::uint64_t point = 2;; point += step) {
    auto const struck = lab.strike(work, point, blow::stop);
    if (!struck.reached) break;
    auto const answer = lab.meet("a");
    bool const is_named = answer.find("process " + std::to_string(lab.stopped())) != std::string::npos;
    bool const is_told = answer.find("is locked by process") != std::string::npos || is_named;
    EXPECT_TRUE(answer == "held" || answer == "busy" || is_told) << "stopped at point " << point << ": " << answer;
    static_cast<void>(lab.resume());
    ASSERT_EQ(lab.find_damage(struck.token), "") << work.name << ", stopped at point " << point;
  }
}

INSTANTIATE_TEST_SUITE_P(local, crash, testing::ValuesIn(scenarios()),
                         [](auto const& p) { return std::string(p.param.name); });

}  // namespace
}  // namespace leasehold::test
