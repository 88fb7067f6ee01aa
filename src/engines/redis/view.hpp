// Decides how what the server keeps of a name is shown: its holders, its line. Pure.
#pragma once

#include "engines/redis/resp.hpp"
#include "engines/redis/settings.hpp"

#include <leasehold/info.hpp>
#include <leasehold/result.hpp>

#include <cstdint>
#include <string_view>

namespace leasehold::inline v0_1::redis {

/// Whether a description is that of the owner whose id the lock's key holds; else somebody foreign holds it.
[[nodiscard]] bool is_described(std::string_view line, std::string_view value);
/// A holder as its description and what is left tell; `left_ms` includes the lock delay, negative: no expiry.
[[nodiscard]] holder_info holder_of(std::string_view line, std::int64_t left_ms, std::int64_t server_now_ms,
                                    time_point now);
/// One that does not speak leasehold's dialect.
[[nodiscard]] holder_info foreign_holder(std::int64_t left_ms, time_point now);

/// The inspect script's reply. `now`: when it came.
[[nodiscard]] result<lock_info> info_of(reply const& r, std::string_view name, time_point now, settings const& where);

}  // namespace leasehold::inline v0_1::redis
