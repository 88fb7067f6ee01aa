// Decides what two processes hand back and forth, and how the time from a release to the next holder's run is measured.
#pragma once

#include "harness.hpp"

#include <functional>
#include <memory>
#include <string>

namespace bench {

/// One process's end of a lock that the other process contends for. `take` blocks.
struct baton {
  std::function<void()> take;
  std::function<void()> give;
};
/// Called in each of the two processes, `me` = 0 or 1.
using baton_maker = std::function<baton(int me)>;

[[nodiscard]] baton leasehold_baton(std::string const& store_url);
[[nodiscard]] baton flock_baton(std::string const& path);
[[nodiscard]] baton_maker robust_mutex_baton();
/// A bare futex word in shared memory that says whose turn it is: what a wake-up costs here, without any lock.
[[nodiscard]] baton_maker raw_futex_baton();

/// `count` hand-offs between two processes bound to a CPU each: nanoseconds from just before `give` to after the
/// other's `take`.
[[nodiscard]] series hand_offs(baton_maker const& make, unsigned count);
/// `count` times: nanoseconds from SIGKILL to the holder until the blocked other process holds.
[[nodiscard]] series take_overs(baton_maker const& make, unsigned count);

}  // namespace bench
