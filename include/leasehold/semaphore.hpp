// Decides how permits of one name wear the shape of std::counting_semaphore.
#pragma once

#include <leasehold/options.hpp>
#include <leasehold/store.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace leasehold::inline v0_1 {

namespace detail {
class semaphore_state;
}

/// At most `permits` holders of one name at a time, over all processes that use it: a payment gateway that bears eight calls, a licence
/// for three seats. Each permit is a lease with its own deadline: a dead holder's comes back, which a counter's would not.
///
/// The shape is std::counting_semaphore's, with these differences: permits belong to who took them, so `release` gives back what this
/// object acquired and cannot make more; and a permit can be lost (`current().lost()`).
///
/// Everybody who uses the name must say the same number. With different ones the smallest of those that hold or wait decides, so that a
/// smaller number drains. The name is a semaphore's alone: errc::mode_mismatch if it is in use as a mutex or shared_mutex.
///
/// Requires an engine with `traits().semaphore`; errc::unsupported otherwise. Thread-safe; requires that it outlives its users.
class LEASEHOLD_API semaphore {
 public:
  /// REQUIRES: 0 < permits < mode::unbounded; errc::bad_option otherwise. Bad names and options throw here. `options.mode` is not looked at.
  semaphore(store const& where, std::string_view name, std::uint32_t permits, acquire_options const& options = {});
  semaphore(semaphore const&) = delete;
  semaphore& operator=(semaphore const&) = delete;
  /// Releases what it still holds.
  ~semaphore();

  /// Over all processes.
  [[nodiscard]] std::uint32_t max() const noexcept;

  /// Waits in line up to `options.wait`; throws `error` (errc::timed_out, …).
  void acquire();
  [[nodiscard]] bool try_acquire();
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(std::chrono::duration<Rep, Period> wait) {
    return try_acquire_within(std::chrono::ceil<duration>(wait));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(std::chrono::time_point<Clock, Duration> when) {
    return try_acquire_within(std::chrono::ceil<duration>(when - Clock::now()));
  }
  /// Gives `count` permits back: the calling thread's, its last one first, then the oldest of this object's. Requires that this object holds
  /// that many. Never throws; a failed release is told to the observer.
  void release(std::ptrdiff_t count = 1) noexcept;

  /// The calling thread's last permit. Requires that it has one; valid until it is given back.
  [[nodiscard]] lease& current() noexcept;

 private:
  bool try_acquire_within(duration wait);
  std::unique_ptr<detail::semaphore_state> state_;
};

}  // namespace leasehold::inline v0_1
