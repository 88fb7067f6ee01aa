// Decides how a unit test sets one of the machine's clocks: this program's clock_gettime is its own.
#pragma once

#include <leasehold/clock.hpp>

#include <ctime>

namespace leasehold::test {

/// While it lives, clocks of this process go wrong as told. One at a time.
class stepped_clocks {
 public:
  stepped_clocks() = default;
  stepped_clocks(stepped_clocks const&) = delete;
  stepped_clocks& operator=(stepped_clocks const&) = delete;
  ~stepped_clocks();

  /// The machine is suspended for so long: BOOTTIME and the wall clock have gone on when it wakes, MONOTONIC has not.
  void suspend(duration for_so_long);
  /// Somebody, or NTP, sets the wall clock.
  void step_wall_clock(duration by);
  /// As in sandboxes that have no BOOTTIME of their own: it says what MONOTONIC says.
  void make_boottime_monotonic();
};

}  // namespace leasehold::test
