// Decides what this machine's wall clock says, for a health check to show beside the server's; nothing else may use it.
#pragma once

#include <leasehold/config.hpp>

#include <cstdint>

namespace leasehold::inline v0_1::redis {

[[nodiscard]] std::int64_t wall_clock_ms() noexcept;

}  // namespace leasehold::inline v0_1::redis
