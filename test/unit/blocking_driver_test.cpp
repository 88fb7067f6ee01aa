// Decides whether a task on the caller's own thread wakes for everything it should, and for stop except while shielded.
#include "core/blocking_driver.hpp"

#include "core/futex.hpp"
#include "unit/fake_engine.hpp"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace leasehold::test {
namespace {

using core::blocking_driver;
using spi::task;
using spi::wait_request;
using spi::wake;

class real_time final : public spi::environment {
 public:
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  [[nodiscard]] double jitter() noexcept override { return 0; }
};

task<wake> wait_for(wait_request request) { co_return co_await spi::wait_on(request); }

class pipe_pair {
 public:
  pipe_pair() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC), 0); }
  ~pipe_pair() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  [[nodiscard]] int reader() const { return ends_[0]; }
  void write() const { EXPECT_EQ(::write(ends_[1], "x", 1), 1); }

 private:
  std::array<int, 2> ends_{};
};

/// What a wait waits for besides waker, stop and time.
enum class on { nothing, descriptor, word, words };

/// Every test runs on each kind of wait, with futex_waitv and without.
class blocking_driver_test : public testing::TestWithParam<std::tuple<on, bool>> {
 protected:
  blocking_driver_test() { core::force_futex_fallback(std::get<bool>(GetParam())); }
  ~blocking_driver_test() override { core::force_futex_fallback(false); }

  wait_request request(time_point until = time_point::max()) {
    wait_request r{};
    r.until = until;
    switch (std::get<on>(GetParam())) {
      case on::nothing:
        break;
      case on::descriptor:
        r.fd = pipe_.reader();
        r.events = POLLIN;
        break;
      case on::word:
        r.words = std::span(watched_).first(1);
        break;
      case on::words:
        r.words = watched_;
        break;
    }
    return r;
  }
  /// Fewer where each takes up to the fallback's 50 ms.
  [[nodiscard]] static int rounds() { return std::get<bool>(GetParam()) ? 4 : 100; }
  /// Makes what is waited for happen; the last of several words.
  void trigger() {
    pipe_.write();
    auto& word = words_[std::get<on>(GetParam()) == on::words ? 1 : 0];
    word.store(1);
    core::futex_wake_all(word, false);
  }

  real_time env_;
  pipe_pair pipe_;
  std::array<std::atomic<std::uint32_t>, 2> words_{};
  std::array<spi::futex_wait, 2> watched_{{{&words_[0], 0, false}, {&words_[1], 0, false}}};
};

/// The kinds with something to wait for.
class trigger_test : public blocking_driver_test {};

TEST_P(blocking_driver_test, time_ends_a_wait) {
  blocking_driver drive(env_);
  auto const until = clock::now() + 20ms;
  EXPECT_EQ(drive.run(wait_for(request(until))), wake::timeout);
  EXPECT_GE(clock::now(), until);
  EXPECT_EQ(drive.run(wait_for(request(time_point{}))), wake::timeout);
}

TEST_P(trigger_test, what_it_waits_for_ends_a_wait) {
  blocking_driver drive(env_);
  auto t = wait_for(request());
  t.start(drive);
  std::thread other([this] { trigger(); });
  EXPECT_TRUE(drive.run_until(t, clock::now() + 20s));
  EXPECT_EQ(t.take(), wake::ready);
  other.join();
  EXPECT_EQ(drive.run(wait_for(request())), wake::ready) << "and if it is there already";
}

TEST_P(blocking_driver_test, WAIT_1_the_waker_ends_a_wait_from_any_thread) {
  blocking_driver drive(env_);
  for (int i = rounds(); i > 0; --i) {
    std::thread other([w = drive.get_waker()] { w->wake(); });
    EXPECT_EQ(drive.run(wait_for(request())), wake::ready);
    other.join();
  }
}

TEST_P(blocking_driver_test, WAIT_1_a_wake_between_the_look_and_the_wait_is_not_missed) {
  blocking_driver drive(env_);
  auto const body = [](wait_request r) -> task<wake> {
    auto& d = co_await spi::this_driver();
    d.get_waker()->wake();
    co_return co_await spi::wait_on(r);
  };
  EXPECT_EQ(drive.run(body(request())), wake::ready);
}

TEST_P(blocking_driver_test, WAIT_10_a_wake_counts_once) {
  blocking_driver drive(env_);
  drive.get_waker()->wake();
  EXPECT_EQ(drive.run(wait_for(request())), wake::ready);
  EXPECT_EQ(drive.run(wait_for(request(clock::now() + 5ms))), wake::timeout);
}

TEST_P(blocking_driver_test, CANCEL_1_a_stop_ends_a_wait) {
  for (int i = rounds(); i > 0; --i) {
    std::stop_source stop;
    blocking_driver drive(env_, stop.get_token());
    std::thread other([&] { stop.request_stop(); });
    EXPECT_EQ(drive.run(wait_for(request())), wake::stopped);
    other.join();
    EXPECT_EQ(drive.run(wait_for(request())), wake::stopped) << "and every later one";
  }
}

TEST_P(blocking_driver_test, CANCEL_1_a_shielded_wait_goes_on_after_a_stop) {
  std::stop_source stop;
  blocking_driver drive(env_, stop.get_token());
  drive.shield(true);
  std::thread other([&] { stop.request_stop(); });
  other.join();
  auto const until = clock::now() + 10ms;
  wake why = wake::ready;
  while (why == wake::ready) why = drive.run(wait_for(request(until)));  // the stop may wake it, spuriously
  EXPECT_EQ(why, wake::timeout);
  drive.shield(false);
  EXPECT_EQ(drive.run(wait_for(request())), wake::stopped);
}

TEST_P(blocking_driver_test, CANCEL_3_a_wait_given_up_on_leaves_the_driver_free) {
  blocking_driver drive(env_);
  {
    auto t = wait_for(request());
    t.start(drive);
    EXPECT_FALSE(drive.run_until(t, clock::now() + 5ms));
  }
  EXPECT_EQ(drive.run(wait_for(request(clock::now() + 1ms))), wake::timeout);
}

TEST_P(blocking_driver_test, a_task_goes_on_where_run_until_left_it) {
  blocking_driver drive(env_);
  auto t = wait_for(request());
  t.start(drive);
  EXPECT_FALSE(drive.run_until(t, clock::now() + 1ms));
  drive.get_waker()->wake();
  EXPECT_TRUE(drive.run_until(t, clock::now() + 20s));
  EXPECT_EQ(t.take(), wake::ready);
}

TEST_P(blocking_driver_test, virtual_time_ends_a_wait) {
  manual_time time;
  blocking_driver drive(time);
  std::thread other([&] { time.advance(1h); });
  wake why = wake::ready;
  while (why == wake::ready) why = drive.run(wait_for(request(at(1h))));
  EXPECT_EQ(why, wake::timeout);
  EXPECT_EQ(time.now(), at(1h));
  other.join();
}

TEST_P(blocking_driver_test, a_waker_may_outlive_its_driver) {
  std::shared_ptr<spi::waker> late;
  {
    blocking_driver drive(env_);
    late = drive.get_waker();
    EXPECT_EQ(drive.run(wait_for(request(clock::now()))), wake::timeout);
  }
  late->wake();
}

std::string title_of(testing::TestParamInfo<std::tuple<on, bool>> const& p) {
  static constexpr std::array names{"plain", "descriptor", "word", "words"};
  auto const [what, fallback] = p.param;
  return std::string(names[static_cast<std::size_t>(what)]) + (fallback ? "_polling" : "_waitv");
}

INSTANTIATE_TEST_SUITE_P(waits, blocking_driver_test,
                         testing::Combine(testing::Values(on::nothing, on::descriptor, on::word, on::words),
                                          testing::Bool()),
                         title_of);
INSTANTIATE_TEST_SUITE_P(waits, trigger_test,
                         testing::Combine(testing::Values(on::descriptor, on::word, on::words), testing::Bool()),
                         title_of);

TEST(blocking_driver, a_virtual_sleeper_leaves_the_environment_with_its_driver) {
  manual_time time;
  {
    blocking_driver const drive(time);
    EXPECT_EQ(time.sleepers(), 1U);
  }
  EXPECT_EQ(time.sleepers(), 0U);
}

TEST(futex, no_time_left_is_no_wait_and_a_changed_word_is_no_wait) {
  std::atomic<std::uint32_t> a{0};
  std::atomic<std::uint32_t> b{7};
  std::array<spi::futex_wait, 2> const both{{{&a, 0, false}, {&b, 6, false}}};
  for (bool const fallback : {false, true}) {
    core::force_futex_fallback(fallback);
    core::futex_wait_any(both, 1h);
    core::futex_wait_any(std::span(both).first(1), 0s);
    core::futex_wait_any(std::span(both).first(1), -1s);
  }
  core::force_futex_fallback(false);
}

}  // namespace
}  // namespace leasehold::test
