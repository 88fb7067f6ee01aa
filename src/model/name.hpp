// Decides which names are names.
#pragma once

#include <cstddef>
#include <string_view>

namespace leasehold::inline v0_1::model {

inline constexpr std::size_t name_bytes_max = 255;

enum class name_fault { none, empty, too_long, control_character, invalid_utf8 };

struct name_check {
  name_fault fault = name_fault::none;
  std::size_t at = 0;  ///< byte offset of the offending part
};

/// 1–255 bytes of UTF-8 (RFC 3629: no overlong forms, no surrogates, ≤ U+10FFFF) without C0, DEL and C1 control characters.
[[nodiscard]] name_check check_name(std::string_view name) noexcept;

}  // namespace leasehold::inline v0_1::model
