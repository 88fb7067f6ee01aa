#include "unit/stepped_clock.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace leasehold::test {
namespace {

constinit std::atomic<duration::rep> boottime_ahead{0};
constinit std::atomic<duration::rep> wall_ahead{0};
constinit std::atomic<bool> is_boottime_monotonic{false};

int read_clock(clockid_t which, timespec* into) noexcept {
  duration::rep ahead = 0;
  if (which == CLOCK_BOOTTIME) {
    ahead = boottime_ahead.load();
    if (is_boottime_monotonic.load()) which = CLOCK_MONOTONIC;
  }
  if (which == CLOCK_REALTIME) ahead = wall_ahead.load();
  auto const status = static_cast<int>(::syscall(SYS_clock_gettime, which, into));
  if (status != 0 || ahead == 0) return status;
  auto const sum = std::chrono::seconds(into->tv_sec) + duration(into->tv_nsec) + duration(ahead);
  auto const seconds = std::chrono::floor<std::chrono::seconds>(sum);
  *into = {static_cast<time_t>(seconds.count()), static_cast<long>((sum - seconds).count())};
  return status;
}

}  // namespace

stepped_clocks::~stepped_clocks() {
  boottime_ahead = 0;
  wall_ahead = 0;
  is_boottime_monotonic = false;
}
void stepped_clocks::suspend(duration for_so_long) {
  boottime_ahead += for_so_long.count();
  wall_ahead += for_so_long.count();
}
void stepped_clocks::step_wall_clock(duration by) { wall_ahead += by.count(); }
void stepped_clocks::make_boottime_monotonic() { is_boottime_monotonic = true; }

}  // namespace leasehold::test

/// Comes before the C library's, for the library under test and for the C++ library alike.
extern "C" int clock_gettime(clockid_t which, timespec* into) noexcept {
  return leasehold::test::read_clock(which, into);
}
