// Decides what time it is for an engine whose time stands still until told.
#pragma once

#include "spi/backend.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <vector>

namespace leasehold::inline v0_1::mem {

/// Thread-safe.
class virtual_time final : public spi::environment {
 public:
  [[nodiscard]] time_point now() const noexcept override { return now_.load(); }
  [[nodiscard]] double jitter() noexcept override { return 0; }
  [[nodiscard]] bool is_virtual() const noexcept override { return true; }
  void add_sleeper(std::shared_ptr<spi::waker> who) override {
    std::lock_guard const hold(guard_);
    sleepers_.push_back(std::move(who));
  }
  void remove_sleeper(spi::waker const* who) noexcept override {
    std::lock_guard const hold(guard_);
    std::erase_if(sleepers_, [&](auto const& s) { return s.get() == who; });
  }

  [[nodiscard]] std::vector<std::shared_ptr<spi::waker>> sleepers() const {
    std::lock_guard const hold(guard_);
    return sleepers_;
  }
  /// REQUIRES: `to` is not before now.
  void move_to(time_point to) noexcept { now_.store(to); }

 private:
  // Not the machine's own uptime: whoever reads the real clock by mistake is then found out.
  std::atomic<time_point> now_{time_point{} + std::chrono::hours(1'000'000)};
  mutable std::mutex guard_;
  std::vector<std::shared_ptr<spi::waker>> sleepers_;
};

}  // namespace leasehold::inline v0_1::mem
