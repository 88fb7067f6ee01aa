// Decides the smallest token of a store that has no memory of earlier ones. The one place of this engine that reads wall time: it orders tokens
// over a reboot of a tmpfs or the loss of the file, and no lock is ever granted or ended by it.
#include "engines/local/file.hpp"

#include <ctime>

namespace leasehold::inline v0_1::local {

u64 token_floor() noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec > 0 ? static_cast<u64>(t.tv_sec) * 1'000'000 + static_cast<u64>(t.tv_nsec) / 1000 : 1;
}

}  // namespace leasehold::inline v0_1::local
