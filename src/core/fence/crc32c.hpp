// Decides how stored bytes are checked: CRC-32C (Castagnoli), a table built at compile time.
#pragma once

#include <leasehold/config.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace leasehold::inline v0_1::core {

inline constexpr auto crc32c_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    std::uint32_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? 0x82F63B78u : 0u);
    table[byte] = remainder;
  }
  return table;
}();

[[nodiscard]] constexpr std::uint32_t crc32c(std::span<std::byte const> bytes) noexcept {
  std::uint32_t remainder = 0xFFFFFFFFu;
  for (std::byte const byte : bytes) {
    remainder = (remainder >> 8) ^ crc32c_table[(remainder ^ static_cast<std::uint32_t>(byte)) & 0xFFu];
  }
  return ~remainder;
}

}  // namespace leasehold::inline v0_1::core
