// Decides whether tasks start late, resume their parents, hand down the driver, and free what they own however they end.
#include "spi/task.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace leasehold::test {
namespace {

using spi::task;

/// Holds the one node until the test resumes it.
class hand_driver final : public spi::driver {
 public:
  [[nodiscard]] time_point now() const noexcept override { return {}; }
  void wait(spi::wait_node& node) override {
    node.linked = true;
    waiting = &node;
  }
  void forget(spi::wait_node& node) noexcept override {
    node.linked = false;
    waiting = nullptr;
    ++forgotten;
  }
  [[nodiscard]] bool waits_on_futex() const noexcept override { return false; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override { return nullptr; }
  void shield(bool) noexcept override {}
  void resume(spi::wake why = spi::wake::ready) {
    auto* node = std::exchange(waiting, nullptr);
    node->linked = false;
    node->why = why;
    node->resume.resume();
  }
  spi::wait_node* waiting = nullptr;
  int forgotten = 0;
};

task<int> plain(int value) { co_return value; }

task<spi::wake> wait_once() { co_return co_await spi::wait_on(spi::wait_request()); }

TEST(task, nothing_runs_before_the_start) {
  bool ran = false;
  auto const body = [&]() -> task<void> {
    ran = true;
    co_return;
  };
  hand_driver drive;
  auto t = body();
  EXPECT_FALSE(ran);
  t.start(drive);
  EXPECT_TRUE(ran);
  EXPECT_TRUE(t.done());
}

TEST(task, a_task_that_is_never_started_frees_its_arguments) {
  auto const owned = std::make_shared<int>(1);
  auto const body = [](std::shared_ptr<int> p) -> task<int> { co_return *p; };
  { auto const t = body(owned); }
  EXPECT_EQ(owned.use_count(), 1);
}

TEST(task, the_value_comes_out_once_done) {
  hand_driver drive;
  auto t = plain(7);
  t.start(drive);
  ASSERT_TRUE(t.done());
  EXPECT_EQ(t.take(), 7);
}

TEST(task, move_only_values_pass_through) {
  hand_driver drive;
  auto const body = []() -> task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  auto t = body();
  t.start(drive);
  EXPECT_EQ(*t.take(), 5);
}

TEST(task, a_wait_suspends_all_parents_and_resumes_them_in_order) {
  hand_driver drive;
  std::string order;
  auto const inner = [&]() -> task<int> {
    order += "a";
    auto const why = co_await wait_once();
    order += "b";
    co_return static_cast<int>(why);
  };
  auto const outer = [&]() -> task<int> {
    order += "1";
    int const got = co_await inner();
    order += "2";
    co_return got;
  };
  auto t = outer();
  t.start(drive);
  EXPECT_EQ(order, "1a");
  EXPECT_FALSE(t.done());
  drive.resume(spi::wake::stopped);
  EXPECT_EQ(order, "1ab2");
  EXPECT_EQ(t.take(), static_cast<int>(spi::wake::stopped));
}

TEST(task, children_inherit_the_driver) {
  hand_driver drive;
  auto const child = []() -> task<spi::driver*> { co_return &co_await spi::this_driver(); };
  auto const parent = [&]() -> task<spi::driver*> { co_return co_await child(); };
  auto t = parent();
  t.start(drive);
  EXPECT_EQ(t.take(), &drive);
}

TEST(task, CANCEL_3_destroying_a_suspended_tree_frees_every_frame_and_leaves_the_driver) {
  hand_driver drive;
  auto const owned = std::make_shared<int>(1);
  auto const inner = [](std::shared_ptr<int> p) -> task<int> {
    co_await wait_once();
    co_return *p;
  };
  auto const outer = [&](std::shared_ptr<int> p) -> task<int> { co_return co_await inner(p) + *p; };
  {
    auto t = outer(owned);
    t.start(drive);
    EXPECT_GT(owned.use_count(), 1);
    EXPECT_NE(drive.waiting, nullptr);
  }
  EXPECT_EQ(owned.use_count(), 1);
  EXPECT_EQ(drive.waiting, nullptr);
  EXPECT_EQ(drive.forgotten, 1);
}

TEST(task, a_wait_that_has_ended_is_not_forgotten_again) {
  hand_driver drive;
  auto t = wait_once();
  t.start(drive);
  drive.resume();
  EXPECT_TRUE(t.done());
  EXPECT_EQ(drive.forgotten, 0);
}

TEST(task, moving_passes_the_frame_on_and_assigning_frees_the_old_one) {
  hand_driver drive;
  auto const first = std::make_shared<int>(1);
  auto const body = [](std::shared_ptr<int> p) -> task<int> {
    co_await wait_once();
    co_return *p;
  };
  auto a = body(first);
  a.start(drive);
  auto b = std::move(a);
  drive.resume();
  EXPECT_TRUE(b.done());
  EXPECT_EQ(b.take(), 1);
  auto const second = std::make_shared<int>(2);
  b = body(second);
  EXPECT_EQ(first.use_count(), 1) << "the old frame is gone";
  EXPECT_EQ(second.use_count(), 2);
  auto& same = b;
  b = std::move(same);
  EXPECT_EQ(second.use_count(), 2) << "assigning to itself keeps the frame";
}

TEST(task, an_argument_passed_through_an_await_is_freed_once) {
  // g++ 12 destroys some temporaries of an await expression twice; named objects, as everywhere in src/, are safe.
  hand_driver drive;
  struct counted {
    explicit counted(int& n) : alive(&n) { ++*alive; }
    counted(counted const& o) : alive(o.alive) { ++*alive; }
    ~counted() { --*alive; }
    int* alive;
  };
  int alive = 0;
  auto const child = [](counted c) -> task<int> {
    co_await wait_once();
    co_return *c.alive;
  };
  auto const parent = [&]() -> task<int> {
    counted const mine(alive);
    co_return co_await child(mine);
  };
  {
    auto t = parent();
    t.start(drive);
    EXPECT_GE(alive, 2);
    drive.resume();
    EXPECT_GE(t.take(), 2);
  }
  EXPECT_EQ(alive, 0);
}

task<int> deep(int levels) {
  if (levels == 0) {
    co_await wait_once();
    co_return 0;
  }
  co_return co_await deep(levels - 1) + 1;
}

TEST(task, deep_nesting_resumes_to_the_top) {
  hand_driver drive;
  auto t = deep(1000);
  t.start(drive);
  EXPECT_FALSE(t.done());
  drive.resume();
  EXPECT_EQ(t.take(), 1000);
}

TEST(task, many_children_one_after_the_other) {
  hand_driver drive;
  auto const parent = []() -> task<int> {
    int sum = 0;
    for (int i = 0; i < 10'000; ++i) sum += co_await plain(1);
    co_return sum;
  };
  auto t = parent();
  t.start(drive);
  EXPECT_EQ(t.take(), 10'000);
}

}  // namespace
}  // namespace leasehold::test
