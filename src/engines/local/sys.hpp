// Decides how this engine touches the kernel's clock and futexes, and where a crash test may stop it.
#pragma once

#include <leasehold/clock.hpp>

#include <atomic>
#include <cstdint>
#include <type_traits>

namespace leasehold::inline v0_1::local {

#ifdef LEASEHOLD_CRASH_POINTS
/// Called after every store to shared memory and after every system call that changes something; null: not called.
extern void (*crash_hook)(char const* where);
inline void crash_point(char const* where = __builtin_FUNCTION()) noexcept {
  if (crash_hook != nullptr) crash_hook(where);
}
#else
inline void crash_point(char const* = nullptr) noexcept {}
#endif

/// A store other processes may read. A crash may follow it at once.
template <class T>
void put(std::atomic<T>& where, std::type_identity_t<T> value, char const* at = __builtin_FUNCTION()) noexcept {
  where.store(value, std::memory_order_release);
  crash_point(at);
}
template <class T>
[[nodiscard]] T get(std::atomic<T> const& where) noexcept {
  return where.load(std::memory_order_acquire);
}
/// Compare and swap; `expected` becomes what was there.
template <class T>
[[nodiscard]] bool swap(std::atomic<T>& where, T& expected, std::type_identity_t<T> desired,
                        char const* at = __builtin_FUNCTION()) noexcept {
  bool const done =
      where.compare_exchange_strong(expected, desired, std::memory_order_acq_rel, std::memory_order_acquire);
  crash_point(at);
  return done;
}

/// Nanoseconds on leasehold::clock.
using instant = std::int64_t;
[[nodiscard]] instant now() noexcept;
[[nodiscard]] inline time_point to_time_point(instant t) noexcept { return time_point(duration(t)); }

/// Sleeps while `word == expected`, at most `at_most`; may wake early. The word lies in shared memory.
void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected, duration at_most) noexcept;
void futex_wake(std::atomic<std::uint32_t>& word, int how_many) noexcept;
/// Whether the kernel can wait for several words at once.
[[nodiscard]] bool has_futex_waitv() noexcept;

}  // namespace leasehold::inline v0_1::local
