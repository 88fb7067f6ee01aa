// Decides how time spans are written and read: 500ms 30s 5m 2h 1d, ISO-8601, and bare seconds because flock reads those.
#pragma once

#include <leasehold/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::cli {

/// Nothing when `text` is no time span, is negative or does not fit.
[[nodiscard]] std::optional<duration> parse_duration(std::string_view text);

/// For people: "2m14s", "3h02m", "41s", "350ms". Never negative.
[[nodiscard]] std::string in_words(duration span);
/// Exact, and readable by `parse_duration`: "15s", "1500ms".
[[nodiscard]] std::string in_units(duration span);
[[nodiscard]] std::int64_t in_ms(duration span);

}  // namespace leasehold::cli
