// Decides how instants of leasehold::clock are shown as times of day. For display only: nothing is decided by a wall clock.
#pragma once

#include <leasehold/clock.hpp>

#include <string>

namespace leasehold::cli {

/// Local time, "12:04:31"; with the date when it is not today.
[[nodiscard]] std::string time_of_day(time_point when);
/// UTC, "2026-11-22T11:04:31.250Z".
[[nodiscard]] std::string iso_utc(time_point when);

}  // namespace leasehold::cli
