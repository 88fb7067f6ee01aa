// Decides how a lease wears the standard library's lock interface.
#pragma once

#include <leasehold/lease.hpp>
#include <leasehold/options.hpp>
#include <leasehold/store.hpp>

#include <chrono>
#include <memory>
#include <string_view>

namespace leasehold::inline v0_1 {

namespace detail {
class mutex_state;
}

/// Lockable and TimedLockable (for std::unique_lock, std::scoped_lock). One object may be shared by any number of threads; it is
/// not recursive: a second `lock` by the holder's own thread waits for ever, as another thread's would.
/// Requires that it outlives its users. Unlike std::mutex it may be unlocked by another thread than locked it.
class LEASEHOLD_API mutex {
 public:
  /// Bad names and options throw here, not at `lock`.
  mutex(store const& where, std::string_view name, acquire_options const& options = {});
  mutex(mutex const&) = delete;
  mutex& operator=(mutex const&) = delete;
  /// Requires that it is not locked; releases if it is.
  ~mutex();

  /// Waits in line up to `options.wait`; throws `error` (errc::timed_out, …).
  void lock();
  [[nodiscard]] bool try_lock();
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(std::chrono::duration<Rep, Period> wait) {
    return try_lock_within(std::chrono::ceil<duration>(wait));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(std::chrono::time_point<Clock, Duration> when) {
    return try_lock_within(std::chrono::ceil<duration>(when - Clock::now()));
  }
  /// Requires a successful `lock`. Never throws; a failed release is told to the observer.
  void unlock() noexcept;

  /// The lease under this lock. Requires that it is locked; valid until `unlock`.
  [[nodiscard]] lease& current() noexcept;
  [[nodiscard]] lease const& current() const noexcept;

 private:
  bool try_lock_within(duration wait);
  std::unique_ptr<detail::mutex_state> state_;
};

}  // namespace leasehold::inline v0_1
