#include "engines/redis/wall_clock.hpp"

#include <ctime>

namespace leasehold::inline v0_1::redis {

std::int64_t wall_clock_ms() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return std::int64_t{t.tv_sec} * 1000 + t.tv_nsec / 1'000'000;
}

}  // namespace leasehold::inline v0_1::redis
