// Decides what every conformance test starts from: one fresh engine, clients of it, and waits that end when the condition holds.
#pragma once

#include "conformance/registry.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

/// Skips, saying so by name, unless the fixture could do it.
#define NEEDS(capability, what)                                             \
  if (!(capability)) {                                                      \
    GTEST_SKIP() << "engine " << GetParam().label << " cannot: " << (what); \
  }                                                                         \
  static_assert(true)

namespace leasehold::conformance {

inline void PrintTo(engine const& e, std::ostream* out) { *out << e.label; }

using namespace std::chrono_literals;

/// An acquisition on a thread of its own.
class pending {
 public:
  pending(store const& on, std::string_view name, acquire_options const& options)
      : result_(std::async(std::launch::async, [this, on, name = std::string(name), options] {
          return on.acquire(name, options, stop_.get_token(), error_, &details_);
        })) {}
  pending(pending const&) = delete;
  pending& operator=(pending const&) = delete;
  ~pending() { stop(); }

  [[nodiscard]] bool is_done(duration patience = {}) const {
    return result_.wait_for(patience) == std::future_status::ready;
  }
  void stop() { stop_.request_stop(); }
  lease take() { return result_.get(); }
  /// After `take`.
  [[nodiscard]] std::error_code error() const { return error_; }
  [[nodiscard]] diagnostics const& details() const { return details_; }

 private:
  std::stop_source stop_;
  std::error_code error_;
  diagnostics details_;
  std::future<lease> result_;
};

class conformance : public testing::TestWithParam<engine> {
 protected:
  conformance() : fixture_(GetParam().make()) {
    if (!fixture_) return;
    a_ = fixture_->client({.identity = "a"});
    b_ = fixture_->client({.identity = "b"});
  }
  void SetUp() override {
    if (!fixture_) GTEST_SKIP() << "engine " << GetParam().label << " cannot be tested: its server is not installed";
  }

  [[nodiscard]] leasehold::traits const& traits() const { return a_.traits(); }
  [[nodiscard]] bool fences() const { return traits().fencing != fencing::none; }
  [[nodiscard]] duration ttl() const { return fixture_->ttl(); }
  [[nodiscard]] duration ttl_long() const { return fixture_->ttl_long(); }
  [[nodiscard]] acquire_options with_ttl() const { return {.ttl = ttl()}; }
  void advance(duration by) { fixture_->advance(by); }
  [[nodiscard]] time_point now() const { return fixture_->now(); }

  /// Holds within `at_most`, letting time pass as it must.
  bool eventually(std::function<bool()> const& holds, duration at_most = 20s) {
    auto const begun = clock::now();
    duration passed{};
    while (!holds()) {
      // Virtual time runs as fast as it is asked to; the threads that it is for need real time to get there.
      constexpr duration real_least = 5s;
      auto const real = clock::now() - begun;
      if (real > 20s || (passed > at_most && real > real_least)) return false;
      for (auto const step_at = clock::now(); fixture_->is_virtual() && clock::now() - step_at < 1ms;) {
        if (holds()) return true;
        std::this_thread::yield();
      }
      auto const step = fixture_->is_virtual() ? duration(50ms) : duration(1ms);
      fixture_->advance(step);
      passed += fixture_->is_virtual() ? step : duration{};
    }
    return true;
  }
  /// The acquisition's lease; lets time pass until there is one.
  lease finish(pending& p) {
    if (!p.is_done(50ms)) eventually([&] { return p.is_done(1ms); });
    return p.take();
  }
  /// `count` wait in line for `name`, as far as can be seen.
  bool await_waiters(std::string_view name, std::size_t count) {
    if (!fixture_->shows_waiters()) {
      advance(20ms);
      return true;
    }
    auto const end = clock::now() + 20s;
    while (b_.inspect(name).waiters.size() != count) {
      if (clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  static std::error_code release(lease& l) {
    std::error_code ec;
    l.release(ec);
    return ec;
  }
  static std::error_code renew(lease& l) {
    std::error_code ec;
    l.renew(ec);
    return ec;
  }
  /// Tokens of later grants are larger, where there are tokens.
  void expect_later(lease const& first, lease const& second) {
    ASSERT_EQ(first.has_token(), fences());
    ASSERT_EQ(second.has_token(), fences());
    if (fences()) {
      EXPECT_GT(second.token(), first.token());
    }
  }
  /// Anybody may have it: nobody holds it, or a holder whose time has run out.
  bool is_free(std::string_view name) {
    auto const state = b_.inspect(name).state;
    return state == lock_state::free || state == lock_state::overdue;
  }

  /// The time of whoever held the name is over: anybody may have it, at once or as soon as that can be noticed.
  bool becomes_free(std::string_view name) {
    return fixture_->notice() == duration::zero() ? is_free(name)
                                                  : eventually([&] { return is_free(name); }, fixture_->notice());
  }
  try_result try_when_over(store const& on, std::string_view name, acquire_options const& options) {
    auto tried = on.try_acquire(name, options);
    if (!tried && fixture_->notice() > duration::zero()) {
      eventually([&] { return static_cast<bool>(tried = on.try_acquire(name, options)); }, fixture_->notice());
    }
    return tried;
  }

  std::unique_ptr<fixture> fixture_;
  store a_;
  store b_;
};

}  // namespace leasehold::conformance
