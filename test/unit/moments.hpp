// Decides how unit tests name instants: a fixed origin, far from zero and from any real clock.
#pragma once

#include <leasehold/clock.hpp>

#include <chrono>

namespace leasehold::test {

using namespace std::chrono_literals;

inline constexpr time_point origin = time_point{} + std::chrono::hours(5000);

/// The instant `after_origin`.
constexpr time_point at(duration after_origin) noexcept { return origin + after_origin; }

}  // namespace leasehold::test
