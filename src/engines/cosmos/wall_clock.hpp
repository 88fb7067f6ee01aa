// Decides what this machine's wall clock says, for the date in signed requests until a server has told its own; nothing else may use it.
#pragma once

#include <leasehold/config.hpp>

#include <cstdint>

namespace leasehold::inline v0_1::cosmos {

[[nodiscard]] std::int64_t wall_clock_seconds() noexcept;

}  // namespace leasehold::inline v0_1::cosmos
