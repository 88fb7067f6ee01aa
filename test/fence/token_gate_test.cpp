// Decides that the in-process gate lets no older token pass, whatever the threads do.
#include <leasehold/fence.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold {
namespace {

TEST(token_gate, FENCE_1_an_older_token_is_refused_and_nothing_runs) {
  token_gate gate;
  int writes = 0;
  EXPECT_TRUE(gate.pass("x", 5, [&] { ++writes; }));
  EXPECT_TRUE(gate.pass("x", 5, [&] { ++writes; }));
  EXPECT_TRUE(gate.pass("x", 9, [&] { ++writes; }));
  EXPECT_FALSE(gate.pass("x", 8, [&] { ++writes; }));
  EXPECT_EQ(writes, 3);
  EXPECT_EQ(gate.largest("x"), 9u);
}

TEST(token_gate, FENCE_1_names_are_apart) {
  token_gate gate;
  EXPECT_FALSE(gate.largest("x").has_value());
  EXPECT_TRUE(gate.admits("x", 0));
  EXPECT_TRUE(gate.pass("x", 9, [] {}));
  EXPECT_TRUE(gate.pass("y", 1, [] {}));
  EXPECT_FALSE(gate.admits("x", 8));
  EXPECT_TRUE(gate.admits("y", 8));
}

TEST(token_gate, FENCE_1_a_write_that_throws_leaves_its_token_remembered) {
  token_gate gate;
  EXPECT_THROW(gate.pass("x", 5, [] { throw std::runtime_error("disk"); }), std::runtime_error);
  EXPECT_EQ(gate.largest("x"), 5u);
  EXPECT_TRUE(gate.pass("x", 5, [] {}));
}

TEST(token_gate, FENCE_1_a_token_that_grew_old_while_waiting_for_its_turn_is_refused) {
  token_gate gate;
  std::mutex m;
  std::condition_variable changed;
  bool writing = false;
  bool go_on = false;
  std::jthread slow([&] {
    EXPECT_TRUE(gate.pass("x", 5, [&] {
      std::unique_lock lock(m);
      writing = true;
      changed.notify_all();
      changed.wait(lock, [&] { return go_on; });
    }));
  });
  {
    std::unique_lock lock(m);
    changed.wait(lock, [&] { return writing; });
  }
  std::vector<std::uint64_t> written;  // guarded by the gate itself
  std::jthread six([&] { gate.pass("x", 6, [&] { written.push_back(6); }); });
  std::jthread seven([&] { gate.pass("x", 7, [&] { written.push_back(7); }); });
  while (gate.largest("x") != 7u) std::this_thread::yield();
  EXPECT_TRUE(gate.pass("y", 1, [] {}));  // the slow write holds up its own name only
  {
    std::scoped_lock lock(m);
    go_on = true;
  }
  changed.notify_all();
  six.join();
  seven.join();
  EXPECT_EQ(written, std::vector<std::uint64_t>{7});
}

TEST(token_gate, FENCE_1_tokens_written_by_many_threads_never_decrease) {
  token_gate gate;
  std::atomic<std::uint64_t> next{1};
  std::vector<std::uint64_t> written;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2000; ++n) {
        auto const token = next.fetch_add(1);
        gate.pass("x", token, [&] { written.push_back(token); });
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(std::is_sorted(written.begin(), written.end()));
  EXPECT_EQ(written.back(), 8000u);
}

}  // namespace
}  // namespace leasehold
