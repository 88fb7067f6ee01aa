// Decides where this engine reads the time of day: for the floor under the generations of new tokens, never for who holds.
#pragma once

#include <leasehold/config.hpp>

#include <cstdint>

namespace leasehold::inline v0_1::rabbitmq {

[[nodiscard]] std::uint64_t wall_clock_us() noexcept;

}  // namespace leasehold::inline v0_1::rabbitmq
