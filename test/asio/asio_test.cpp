// asio.hpp with the three kinds of completion token, and its endings: cancelled, timed out, abandoned.
#include <leasehold/asio.hpp>
#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace asio = boost::asio;
using namespace std::chrono_literals;
using boost::system::error_code;

namespace {

/// Every test runs on the in-process engine and on a store file.
class asio_test : public testing::TestWithParam<char const*> {
 protected:
  asio_test() {
    std::string url = GetParam();
    if (url == "local:") {
      std::string pattern = (std::filesystem::temp_directory_path() / "leasehold-asio-XXXXXX").string();
      directory_ = ::mkdtemp(pattern.data());
      url += (directory_ / "store").string();
    } else {
      url += testing::UnitTest::GetInstance()->current_test_info()->name();
    }
    locks = leasehold::open(url);
  }
  ~asio_test() override {
    locks.close(1s);
    if (!directory_.empty()) std::filesystem::remove_all(directory_);
  }
  /// Runs until somebody stands in line for `name`.
  void run_until_waiting(std::string_view name) {
    while (locks.inspect(name).waiters.empty()) context.run_one_for(10ms);
  }

  leasehold::store locks;
  asio::io_context context;

 private:
  std::filesystem::path directory_;
};

TEST_P(asio_test, a_callback_gets_a_free_name_but_never_inside_the_call) {
  leasehold::lease got;
  bool called = false;
  leasehold::async_acquire(locks, "x", {}, asio::bind_executor(context, [&](error_code ec, leasehold::lease l) {
                             called = true;
                             EXPECT_FALSE(ec);
                             got = std::move(l);
                           }));
  EXPECT_FALSE(called);
  context.run();
  EXPECT_TRUE(called);
  ASSERT_TRUE(got);
  EXPECT_TRUE(got.held());
  EXPECT_FALSE(locks.try_acquire("x"));
}

TEST_P(asio_test, a_coroutine_waits_for_the_holder) {
  auto first = locks.acquire("x");
  std::uint64_t const before = first.token();
  std::optional<std::uint64_t> token;
  auto const work = [&]() -> asio::awaitable<void> {
    auto second = co_await leasehold::async_acquire(locks, "x", {}, asio::use_awaitable);
    token = second.token();
  };
  asio::co_spawn(context, work, asio::detached);
  run_until_waiting("x");
  EXPECT_FALSE(token);
  first.release();
  context.run();
  ASSERT_TRUE(token);
  EXPECT_GT(*token, before);
}

TEST_P(asio_test, a_future_is_fulfilled_from_another_thread) {
  auto first = locks.acquire("x");
  auto future = leasehold::async_acquire(locks, "x", {}, asio::use_future);
  std::jthread releaser([&] {
    while (locks.inspect("x").waiters.empty()) std::this_thread::yield();
    first.release();
  });
  EXPECT_TRUE(future.get().held());
}

TEST_P(asio_test, WAIT_9_a_bounded_wait_times_out_on_the_timer_alone) {
  auto first = locks.acquire("x");
  error_code got;
  leasehold::async_acquire(locks, "x", {.wait = 20ms},
                           asio::bind_executor(context, [&](error_code ec, leasehold::lease l) {
                             got = ec;
                             EXPECT_FALSE(l);
                           }));
  context.run();
  EXPECT_EQ(got, error_code(std::error_code(leasehold::errc::timed_out)));
  EXPECT_TRUE(locks.inspect("x").waiters.empty());
}

TEST_P(asio_test, CANCEL_1_a_cancelled_wait_leaves_the_line) {
  auto first = locks.acquire("x");
  asio::cancellation_signal signal;
  error_code got;
  leasehold::async_acquire(
      locks, "x", {},
      asio::bind_cancellation_slot(signal.slot(),
                                   asio::bind_executor(context, [&](error_code ec, leasehold::lease) { got = ec; })));
  run_until_waiting("x");
  signal.emit(asio::cancellation_type::terminal);
  context.run();
  EXPECT_EQ(got, asio::error::operation_aborted);
  EXPECT_TRUE(locks.inspect("x").waiters.empty());
  first.release();
  EXPECT_TRUE(locks.try_acquire("x"));
}

TEST_P(asio_test, CANCEL_3_an_abandoned_operation_leaves_nothing_behind) {
  auto first = locks.acquire("x");
  {
    asio::io_context abandoned;
    leasehold::async_acquire(locks, "x", {},
                             asio::bind_executor(abandoned, [](error_code, leasehold::lease) { FAIL(); }));
    while (locks.inspect("x").waiters.empty()) abandoned.run_one_for(10ms);
  }
  EXPECT_TRUE(locks.inspect("x").waiters.empty());
  first.release();
  EXPECT_TRUE(locks.try_acquire("x"));
}

TEST_P(asio_test, CANCEL_1_closing_the_store_ends_a_wait) {
  auto first = locks.acquire("x");
  error_code got;
  leasehold::async_acquire(locks, "x", {},
                           asio::bind_executor(context, [&](error_code ec, leasehold::lease) { got = ec; }));
  run_until_waiting("x");
  locks.close(1s);
  context.run();
  EXPECT_EQ(got, error_code(std::error_code(leasehold::errc::cancelled)));
}

TEST_P(asio_test, many_coroutines_take_turns_in_one_thread) {
  constexpr int contenders = 50;
  int inside = 0;
  int turns = 0;
  auto const work = [&]() -> asio::awaitable<void> {
    auto held = co_await leasehold::async_acquire(locks, "x", {}, asio::use_awaitable);
    EXPECT_EQ(++inside, 1);
    co_await asio::post(context, asio::use_awaitable);
    --inside;
    ++turns;
  };
  for (int i = 0; i < contenders; ++i) asio::co_spawn(context, work, asio::detached);
  context.run();
  EXPECT_EQ(turns, contenders);
}

TEST_P(asio_test, a_bad_name_completes_with_its_error) {
  error_code got;
  leasehold::async_acquire(locks, "", {},
                           asio::bind_executor(context, [&](error_code ec, leasehold::lease) { got = ec; }));
  context.run();
  EXPECT_EQ(got, error_code(std::error_code(leasehold::errc::bad_name)));
}

TEST_P(asio_test, a_coroutine_releases_and_the_next_one_has_the_name) {
  int turns = 0;
  auto const work = [&]() -> asio::awaitable<void> {
    auto held = co_await leasehold::async_acquire(locks, "x", {}, asio::use_awaitable);
    auto const token = held.token();
    co_await leasehold::async_release(std::move(held), asio::use_awaitable);
    EXPECT_FALSE(held);
    EXPECT_FALSE(locks.inspect("x").state == leasehold::lock_state::held &&
                 locks.inspect("x").holders[0].token == token);
    ++turns;
  };
  for (int i = 0; i < 10; ++i) asio::co_spawn(context, work, asio::detached);
  context.run();
  EXPECT_EQ(turns, 10);
  EXPECT_TRUE(locks.try_acquire("x"));
}

TEST_P(asio_test, a_release_completes_with_the_loss_and_never_inside_the_call) {
  auto held = locks.acquire("x", {.ttl = 500ms, .renew = leasehold::renewal::manual});
  locks.evict("x", held.token(), {.reason = "test"});
  error_code got;
  leasehold::async_release(std::move(held), asio::bind_executor(context, [&](error_code ec) { got = ec; }));
  EXPECT_FALSE(got);
  context.run();
  EXPECT_TRUE(got) << "evicted";
}

TEST_P(asio_test, an_abandoned_release_is_carried_out) {
  auto held = locks.acquire("x");
  {
    asio::io_context abandoned;
    leasehold::async_release(std::move(held), asio::bind_executor(abandoned, [](error_code) { FAIL(); }));
  }
  EXPECT_TRUE(locks.try_acquire("x"));
}

INSTANTIATE_TEST_SUITE_P(engines, asio_test, testing::Values("mem:", "local:"),
                         [](auto const& p) { return std::string(p.param).substr(0, std::string(p.param).size() - 1); });

}  // namespace
