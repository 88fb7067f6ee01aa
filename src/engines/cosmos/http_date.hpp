// Decides how instants of a server are written and read in HTTP: "Tue, 15 Nov 1994 08:12:31 GMT" (RFC 9110). Pure.
#pragma once

#include <leasehold/config.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

/// Seconds since 1970; 0: not such a date.
[[nodiscard]] std::int64_t read_http_date(std::string_view text) noexcept;
[[nodiscard]] std::string http_date(std::int64_t seconds);

}  // namespace leasehold::inline v0_1::cosmos
