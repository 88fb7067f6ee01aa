// Decides what "now" means: the one clock every deadline in leasehold is measured on.
#pragma once

#include <leasehold/config.hpp>

#include <chrono>

namespace leasehold::inline v0_1 {

/// The unit of every time span in this library.
using duration = std::chrono::nanoseconds;

/// CLOCK_BOOTTIME: steady, and it goes on while the machine is suspended, so a laptop or virtual machine that slept past a
/// deadline finds its lease lost on waking (CLOCK_MONOTONIC would stand still). Where the kernel has no BOOTTIME distinct from
/// MONOTONIC (some sandboxes), `leasehold doctor` says so.
/// Thread-safe; never fails; about 22 ns a call.
struct LEASEHOLD_API clock {
  using duration = leasehold::duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<clock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept;
};

using time_point = clock::time_point;

}  // namespace leasehold::inline v0_1
