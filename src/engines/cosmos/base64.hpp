// Decides how bytes travel as text: base64 (RFC 4648), with padding. Pure.
#pragma once

#include <leasehold/config.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

inline constexpr std::string_view base64_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

[[nodiscard]] inline std::string to_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.push_back(i + k > bytes.size() ? '=' : base64_digits[group >> (18 - 6 * k) & 63]);
    }
  }
  return out;
}

/// Nullopt: not base64.
[[nodiscard]] inline std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    std::uint32_t group = 0;
    std::size_t digits = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      auto const c = text[i + k];
      auto const value = c == '=' ? std::string_view::npos : base64_digits.find(c);
      if (value != std::string_view::npos && digits == k)
        ++digits;
      else if (c != '=' || k < 2 || i + 4 != text.size())
        return std::nullopt;
      group = group << 6 | (value == std::string_view::npos ? 0U : static_cast<std::uint32_t>(value));
    }
    for (std::size_t k = 0; k + 1 < digits; ++k) out.push_back(static_cast<char>(group >> (16 - 8 * k) & 255));
  }
  return out;
}

}  // namespace leasehold::inline v0_1::cosmos
