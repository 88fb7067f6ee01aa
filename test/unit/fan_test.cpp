// Decides whether several tasks on one driver go on when what they wait for happens, end with it, and leave nothing behind.
#include "spi/fan.hpp"
#include "core/blocking_driver.hpp"
#include "core/foreign_driver.hpp"
#include "spi/backend.hpp"

#include <gtest/gtest.h>

#include <poll.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <stop_token>
#include <thread>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;
using spi::task;
using spi::wake;

class steady_env final : public spi::environment {
 public:
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  [[nodiscard]] double jitter() noexcept override { return 0; }
};

/// A pipe: readable once it was written to.
struct signal_pipe {
  signal_pipe() { EXPECT_EQ(::pipe(ends.data()), 0); }
  signal_pipe(signal_pipe const&) = delete;
  signal_pipe& operator=(signal_pipe const&) = delete;
  ~signal_pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  void raise() const { EXPECT_EQ(::write(ends[1], "x", 1), 1); }
  std::array<int, 2> ends{};
};

task<wake> wait_for(int fd, time_point until) {
  spi::wait_request request;
  request.fd = fd;
  request.events = POLLIN;
  request.until = until;
  co_return co_await spi::wait_on(request);
}

task<wake> wait_until_woken(std::shared_ptr<spi::waker>* out, time_point until) {
  auto& drive = co_await spi::this_driver();
  *out = drive.get_waker();
  spi::wait_request request;
  request.until = until;
  co_return co_await spi::wait_on(request);
}

class fan_test : public testing::Test {
 protected:
  steady_env env_;
};

TEST_F(fan_test, the_first_descriptor_that_is_ready_ends_its_task_alone) {
  signal_pipe slow;
  signal_pipe quick;
  quick.raise();
  core::blocking_driver drive(env_);
  auto const body = [&]() -> task<std::size_t> {
    auto& on = co_await spi::this_driver();
    spi::fan<wake> both(on);
    both.start(wait_for(slow.ends[0], on.now() + 10s));
    both.start(wait_for(quick.ends[0], on.now() + 10s));
    auto const which = co_await both.next(on.now() + 10s);
    EXPECT_TRUE(which);
    EXPECT_EQ(both.take(*which), wake::ready);
    EXPECT_TRUE(both.any_running());
    EXPECT_FALSE(co_await both.next(on.now() + 1ms)) << "the other still waits";
    slow.raise();
    EXPECT_EQ(co_await both.next(on.now() + 10s), 0U);
    EXPECT_FALSE(co_await both.next(on.now() + 10s)) << "none is left";
    co_return *which;
  };
  EXPECT_EQ(drive.run(body()), 1U);
}

TEST_F(fan_test, each_task_has_a_time_of_its_own) {
  signal_pipe never;
  core::blocking_driver drive(env_);
  auto const body = [&]() -> task<void> {
    auto& on = co_await spi::this_driver();
    spi::fan<wake> both(on);
    both.start(wait_for(never.ends[0], on.now() + 10s));
    both.start(wait_for(never.ends[0], on.now() + 2ms));
    auto const which = co_await both.next(on.now() + 10s);
    EXPECT_EQ(which, 1U);
    EXPECT_EQ(both.take(1), wake::timeout);
  };
  drive.run(body());
}

TEST_F(fan_test, WAIT_1_a_waker_of_one_task_wakes_that_one) {
  core::blocking_driver drive(env_);
  std::shared_ptr<spi::waker> first;
  std::shared_ptr<spi::waker> second;
  std::thread other;
  auto const body = [&]() -> task<void> {
    auto& on = co_await spi::this_driver();
    spi::fan<wake> both(on);
    both.start(wait_until_woken(&first, on.now() + 10s));
    both.start(wait_until_woken(&second, on.now() + 10s));
    second->wake();  // between its start and the wait
    EXPECT_EQ(co_await both.next(on.now() + 10s), 1U);
    other = std::thread([&] { first->wake(); });
    EXPECT_EQ(co_await both.next(on.now() + 10s), 0U);
  };
  drive.run(body());
  other.join();
  first->wake();  // it may outlive the fan
}

TEST_F(fan_test, CANCEL_1_a_stop_ends_all) {
  std::stop_source stop;
  core::blocking_driver drive(env_, stop.get_token());
  std::shared_ptr<spi::waker> unused;
  auto const body = [&]() -> task<void> {
    auto& on = co_await spi::this_driver();
    spi::fan<wake> both(on);
    both.start(wait_until_woken(&unused, on.now() + 10s));
    both.start(wait_until_woken(&unused, on.now() + 10s));
    stop.request_stop();
    for (int i = 0; i < 2; ++i) {
      auto const which = co_await both.next(on.now() + 10s);
      EXPECT_TRUE(which);
      EXPECT_EQ(both.take(*which), wake::stopped);
    }
  };
  drive.run(body());
}

TEST_F(fan_test, CANCEL_3_tasks_that_are_given_up_free_what_they_own) {
  auto const owned = std::make_shared<int>(7);
  auto const holding = [](std::shared_ptr<int> what, time_point until) -> task<wake> {
    spi::wait_request request;
    request.until = until;
    auto const why = co_await spi::wait_on(request);
    static_cast<void>(what);
    co_return why;
  };
  core::blocking_driver drive(env_);
  auto const body = [&]() -> task<void> {
    auto& on = co_await spi::this_driver();
    spi::fan<wake> some(on);
    some.start(holding(owned, on.now() + 10s));
    EXPECT_EQ(owned.use_count(), 2);
    some.abandon();
    EXPECT_EQ(owned.use_count(), 1);
    EXPECT_FALSE(co_await some.next(on.now() + 10s));
    some.start(holding(owned, on.now() + 10s));
  };
  drive.run(body());
  EXPECT_EQ(owned.use_count(), 1);
}

TEST_F(fan_test, a_foreign_loop_sees_all_descriptors_as_one) {
  signal_pipe one;
  signal_pipe two;
  core::foreign_driver drive(std::make_shared<steady_env>());
  auto const body = [&]() -> task<std::size_t> {
    auto& on = co_await spi::this_driver();
    spi::fan<wake> both(on);
    both.start(wait_for(one.ends[0], on.now() + 10s));
    both.start(wait_for(two.ends[0], on.now() + 10s));
    auto const which = co_await both.next(on.now() + 10s);
    co_return which.value_or(9);
  };
  auto t = body();
  t.start(drive);
  pollfd p{drive.descriptor(), POLLIN, 0};
  EXPECT_EQ(::poll(&p, 1, 0), 0);
  two.raise();
  EXPECT_EQ(::poll(&p, 1, 5000), 1);
  drive.advance();
  ASSERT_TRUE(t.done());
  EXPECT_EQ(t.take(), 1U);
}

}  // namespace
}  // namespace leasehold::test
