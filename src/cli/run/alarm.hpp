// Decides how the supervisor wakes at an instant: a timer on the clock that goes on during suspend, made when first needed.
#pragma once

#include "run/descriptor.hpp"

#include <leasehold/clock.hpp>

#include <sys/timerfd.h>

#include <algorithm>

namespace leasehold::cli {

class alarm_clock {
 public:
  /// `max()`: never. `get()` is readable from then on, until the next `set`.
  void set(time_point when) {
    if (when == set_for_) return;
    set_for_ = when;
    if (!fd_ && when == time_point::max()) return;
    if (!fd_) fd_ = descriptor{::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK)};
    if (!fd_) fd_ = descriptor{::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
    itimerspec spec{};
    if (when != time_point::max()) {
      auto const left = std::max<duration>(when - clock::now(), std::chrono::nanoseconds{1});
      spec.it_value.tv_sec = static_cast<time_t>(left / std::chrono::seconds{1});
      spec.it_value.tv_nsec = static_cast<long>((left % std::chrono::seconds{1}).count());
    }
    ::timerfd_settime(fd_.get(), 0, &spec, nullptr);
  }
  [[nodiscard]] int get() const noexcept { return fd_.get(); }
  /// It rang: nothing is set any more.
  void acknowledge() {
    unsigned long long count = 0;
    if (::read(fd_.get(), &count, sizeof count) > 0) set_for_ = time_point::max();
  }

 private:
  descriptor fd_;
  time_point set_for_ = time_point::max();
};

}  // namespace leasehold::cli
