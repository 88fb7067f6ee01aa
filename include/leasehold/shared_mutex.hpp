// Decides how readers and a writer of one name wear the standard library's shared lock interface.
#pragma once

#include <leasehold/mutex.hpp>

#include <chrono>
#include <memory>
#include <string_view>

namespace leasehold::inline v0_1 {

namespace detail {
class shared_mutex_state;
}

/// SharedLockable and SharedTimedLockable (for std::shared_lock), Lockable and TimedLockable (for std::unique_lock): one writer, or
/// any number of readers, over all processes that use the name. One object may be shared by any number of threads. A `mutex` and a
/// `shared_mutex` may share a name; a semaphore may not (errc::mode_mismatch).
///
/// Order: where `traits().waiting` is `fifo` readers and writers stand in one line, so a waiting writer is passed by no reader that comes
/// later, and waits at most for those before it. Elsewhere a stream of readers can starve a writer.
///
/// There is no upgrade: two readers that want to write would wait for each other. `lock` on a thread that holds it shared through this
/// object fails with errc::unsupported instead of waiting for itself; give the shared lock back first, and look at the data again.
///
/// Requires an engine with `traits().shared`; errc::unsupported otherwise. Requires that it outlives its users.
class LEASEHOLD_API shared_mutex {
 public:
  /// Bad names and options throw here, not at `lock`. `options.mode` is not looked at.
  shared_mutex(store const& where, std::string_view name, acquire_options const& options = {});
  shared_mutex(shared_mutex const&) = delete;
  shared_mutex& operator=(shared_mutex const&) = delete;
  /// Requires that it is not locked; releases what is.
  ~shared_mutex();

  // The writer: as `mutex`.
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
  void unlock() noexcept;
  /// The writer's lease. Requires that it is locked; valid until `unlock`.
  [[nodiscard]] lease& current() noexcept;

  // Readers.
  /// Waits in line up to `options.wait`; throws `error` (errc::timed_out, …).
  void lock_shared();
  [[nodiscard]] bool try_lock_shared();
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_shared_for(std::chrono::duration<Rep, Period> wait) {
    return try_lock_shared_within(std::chrono::ceil<duration>(wait));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_shared_until(std::chrono::time_point<Clock, Duration> when) {
    return try_lock_shared_within(std::chrono::ceil<duration>(when - Clock::now()));
  }
  /// Gives back the calling thread's lease (its last one); on a thread that has none, the oldest of this object's. Requires that there is
  /// one. Never throws; a failed release is told to the observer.
  void unlock_shared() noexcept;
  /// The calling thread's reading lease. Requires that it has one; valid until it is given back.
  [[nodiscard]] lease& current_shared() noexcept;

 private:
  bool try_lock_within(duration wait);
  bool try_lock_shared_within(duration wait);
  std::unique_ptr<detail::shared_mutex_state> state_;
};

}  // namespace leasehold::inline v0_1
