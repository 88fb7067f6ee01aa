// Decides what a server's reply means: granted, busy, or which error with which remedy. Pure.
#pragma once

#include "engines/redis/resp.hpp"
#include "engines/redis/settings.hpp"
#include "spi/backend.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::redis {

/// When a refused claim looks again, if nobody calls it before. `obstacle_ms`: what the acquire script says.
[[nodiscard]] duration look_again(std::int64_t obstacle_ms, std::int64_t ahead, bool foreign) noexcept;
/// How long a place in line lasts without a new attempt: several looks, whatever the TTL.
[[nodiscard]] duration place_lifetime(duration ttl) noexcept;

/// What the server answered to the acquire script. `now`: when the reply came.
[[nodiscard]] result<spi::answer> answer_of(reply const& r, duration ttl, time_point now, settings const& where);

/// Why a request failed: the server refused it, so it was not done.
[[nodiscard]] failure failure_of(reply const& error, settings const& where);
/// The reply was none that the script can give.
[[nodiscard]] failure unexpected(settings const& where);
/// The same-name key is used by something else, or leasehold's own.
[[nodiscard]] failure reserved_name();

}  // namespace leasehold::inline v0_1::redis
