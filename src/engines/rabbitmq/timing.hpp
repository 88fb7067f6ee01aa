// Decides how instants and margins are reckoned here. Pure.
#pragma once

#include <leasehold/clock.hpp>

namespace leasehold::inline v0_1::rabbitmq {

/// `from + by`, saturating.
[[nodiscard]] constexpr time_point after(time_point from, duration by) noexcept {
  return by >= time_point::max() - from ? time_point::max() : from + by;
}

/// What to wait beyond a time that somebody else reckons with: his clock may be slower by a hundredth, and our timers late.
[[nodiscard]] constexpr duration margin_for(duration of) noexcept { return of / 100 + std::chrono::milliseconds(5); }

}  // namespace leasehold::inline v0_1::rabbitmq
