#include "engines/rabbitmq/wall_clock.hpp"

#include <ctime>

namespace leasehold::inline v0_1::rabbitmq {

std::uint64_t wall_clock_us() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec > 0 ? static_cast<std::uint64_t>(t.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(t.tv_nsec) / 1000
                      : 1;
}

}  // namespace leasehold::inline v0_1::rabbitmq
