#include <leasehold/clock.hpp>

#include <ctime>

namespace leasehold::inline v0_1 {

clock::time_point clock::now() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_BOOTTIME, &t);
  return time_point(std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec));
}

}  // namespace leasehold::inline v0_1
