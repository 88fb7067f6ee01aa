// Decides how a caller waits for what the pump's thread finds out: on its own driver, for as long as it likes.
#pragma once

#include "spi/task.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace leasehold::inline v0_1::rabbitmq {

/// Given once, by the pump; taken once. Shared by both, since whoever asked may give up first.
template <class T>
class answer {
 public:
  void give(T value) {
    std::lock_guard const hold(guard_);
    if (value_) return;
    value_.emplace(std::move(value));
    if (waker_) waker_->wake();
    given_.notify_all();
  }

  /// nullopt: `until` came first, or a stop. REQUIRES: `self` is this.
  static spi::task<std::optional<T>> get(std::shared_ptr<answer> self, time_point until) {
    auto& drive = co_await spi::this_driver();
    auto waker = drive.get_waker();
    for (;;) {
      {
        std::lock_guard const hold(self->guard_);
        self->waker_ = waker;
        if (self->value_) co_return std::exchange(self->value_, std::nullopt);
      }
      spi::wait_request sleep{};
      sleep.until = until;
      auto const why = co_await spi::wait_on(sleep);
      if (why == spi::wake::ready) continue;
      std::lock_guard const hold(self->guard_);
      self->waker_ = nullptr;
      co_return std::exchange(self->value_, std::nullopt);
    }
  }

  /// For those without a driver.
  std::optional<T> get_blocking(duration at_most) {
    std::unique_lock hold(guard_);
    given_.wait_for(hold, at_most, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex guard_;
  std::condition_variable given_;
  std::optional<T> value_;
  std::shared_ptr<spi::waker> waker_;
};

}  // namespace leasehold::inline v0_1::rabbitmq
