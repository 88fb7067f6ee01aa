// Decides how several tasks run at once on one driver: their waits are one wait, and whoever asked goes on when enough have ended.
// Those that are still under way when the fan is destroyed end where they wait.
#pragma once

#include "model/assert.hpp"
#include "spi/task.hpp"

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

namespace leasehold::inline v0_1::spi {

inline constexpr std::size_t fan_seats_max = 18;  // nine nodes, asked twice each

/// The waits of a fan, without the tasks.
class fan_waits {
 public:
  explicit fan_waits(driver& under);
  fan_waits(fan_waits const&) = delete;
  fan_waits& operator=(fan_waits const&) = delete;
  ~fan_waits() = default;

  [[nodiscard]] driver& seat(std::size_t i) noexcept { return seats_[i]; }
  /// Waits until something happens to one of `who` (bit i: seat i), or `until`, and resumes those it happened to.
  task<wake> step(std::uint32_t who, time_point until);

 private:
  /// Which seats were woken since they were last resumed; outlives the fan, as wakers may.
  struct bell {
    std::atomic<std::uint32_t> woken{0};
    std::shared_ptr<waker> under;
    struct clapper final : waker {
      void wake() noexcept override {
        of->woken.fetch_or(std::uint32_t{1} << index);
        of->under->wake();
      }
      bell* of = nullptr;
      std::size_t index = 0;
    };
    std::array<clapper, fan_seats_max> clappers;
  };
  class seat_driver final : public driver {
   public:
    [[nodiscard]] time_point now() const noexcept override { return of_->under_.now(); }
    void wait(wait_node& node) override;
    void forget(wait_node& node) noexcept override;
    [[nodiscard]] bool waits_on_futex() const noexcept override { return of_->under_.waits_on_futex(); }
    [[nodiscard]] std::shared_ptr<waker> get_waker() override;
    void shield(bool on) noexcept override { of_->under_.shield(on); }

    fan_waits* of_ = nullptr;
    std::size_t index_ = 0;
    wait_node* node_ = nullptr;
    fd_wait* fd_ = nullptr;  // within the wait that is under way
  };

  [[nodiscard]] wait_request gathered(std::uint32_t who, time_point until);
  void resume(std::uint32_t who, wake how);

  driver& under_;
  std::shared_ptr<bell> bell_;  // made when somebody asks for a waker
  std::array<seat_driver, fan_seats_max> seats_;
  std::array<fd_wait, fan_seats_max> fds_;
};

/// REQUIRES: lives where the tasks it was given may refer to; at most `fan_seats_max` of them. Not thread-safe.
template <class T>
class fan {
 public:
  explicit fan(driver& under) : waits_(under) {}

  /// Runs `t` until it waits for the first time; it becomes number `size()`.
  void start(task<T> t) {
    LEASEHOLD_ASSERT(size_ < fan_seats_max);
    auto& mine = tasks_[size_].emplace(std::move(t));
    auto const bit = std::uint32_t{1} << size_;
    mine.start(waits_.seat(size_++));
    (mine.done() ? ended_ : running_) |= bit;
  }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool any_running() const noexcept { return running_ != 0; }

  /// The next that has ended, each once, in no order; nullopt: `until` came first, or there is none left.
  task<std::optional<std::size_t>> next(time_point until) {
    for (;;) {
      if (ended_ != 0) {
        auto const i = static_cast<std::size_t>(std::countr_zero(ended_));
        ended_ &= ended_ - 1;
        co_return i;
      }
      if (running_ == 0) co_return std::nullopt;
      auto const why = co_await waits_.step(running_, until);
      for (auto left = running_; left != 0; left &= left - 1) {
        auto const i = static_cast<std::size_t>(std::countr_zero(left));
        if (!tasks_[i]->done()) continue;
        running_ &= ~(std::uint32_t{1} << i);
        ended_ |= std::uint32_t{1} << i;
      }
      if (ended_ == 0 && why == wake::timeout) co_return std::nullopt;
    }
  }
  /// Those still under way end where they wait. A task that nobody drives may hold up others, on other threads too: whoever does not
  /// go on to call `next` calls this.
  void abandon() noexcept {
    for (auto& t : tasks_) t.reset();
    running_ = ended_ = 0;
  }
  /// REQUIRES: `next` has named it. Once.
  T take(std::size_t i) { return tasks_[i]->take(); }

 private:
  fan_waits waits_;  // destroyed after the tasks, which may wait in it
  std::array<std::optional<task<T>>, fan_seats_max> tasks_;
  std::size_t size_ = 0;
  std::uint32_t running_ = 0;
  std::uint32_t ended_ = 0;
};

}  // namespace leasehold::inline v0_1::spi
