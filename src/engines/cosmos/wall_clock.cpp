#include "engines/cosmos/wall_clock.hpp"

#include <ctime>

namespace leasehold::inline v0_1::cosmos {

std::int64_t wall_clock_seconds() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec;
}

}  // namespace leasehold::inline v0_1::cosmos
