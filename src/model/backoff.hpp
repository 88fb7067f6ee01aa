// Decides how retries and polls spread out. The randomness is the caller's.
#pragma once

#include <leasehold/clock.hpp>

#include <algorithm>

namespace leasehold::inline v0_1::model {

/// 2 ms, 4 ms, … up to 500 ms.
[[nodiscard]] constexpr duration backoff(int failures) noexcept {
  return std::chrono::milliseconds(2) * (1 << std::clamp(failures, 0, 8));
}

/// Between 75 % and 100 % of `span`, for `jitter` in [0, 1): never later than the bound it is given.
[[nodiscard]] constexpr duration jittered(duration span, double jitter) noexcept {
  return span - duration(static_cast<duration::rep>(static_cast<double>(span.count()) * 0.25 * jitter));
}

}  // namespace leasehold::inline v0_1::model
