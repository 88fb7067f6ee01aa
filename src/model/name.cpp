#include "model/name.hpp"

#include <cstdint>
#include <cstring>

namespace leasehold::inline v0_1::model {
namespace {

struct decoded {
  std::uint32_t point = 0;
  std::size_t bytes = 0;  // 0: invalid
};

decoded decode(std::string_view text, std::size_t at) noexcept {
  auto const lead = static_cast<unsigned char>(text[at]);
  std::size_t const bytes = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  static constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (lead < 0xC2 || lead > 0xF4 || text.size() - at < bytes) return {};
  std::uint32_t point = lead & (0xFFU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) {
    auto const next = static_cast<unsigned char>(text[at + i]);
    if ((next & 0xC0) != 0x80) return {};
    point = point << 6 | (next & 0x3FU);
  }
  bool const surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (point < smallest[bytes] || point > 0x10FFFF || surrogate) return {};
  return {point, bytes};
}

/// Eight bytes that are printable ASCII, told at once; a false "no" costs a look at each.
bool are_plain(char const* eight) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  std::uint64_t word = 0;
  std::memcpy(&word, eight, sizeof word);
  // A byte's high bit is set by: not ASCII; below 0x20 (borrow); 0x7F (carry).
  return ((word | (word - 0x20 * ones) | (word + ones)) & (0x80 * ones)) == 0;
}

}  // namespace

name_check check_name(std::string_view name) noexcept {
  if (name.empty()) return {name_fault::empty, 0};
  if (name.size() > name_bytes_max) return {name_fault::too_long, name_bytes_max};
  for (std::size_t at = 0; at < name.size();) {
    if (name.size() - at >= 8 && are_plain(name.data() + at)) {
      at += 8;
      continue;
    }
    auto const byte = static_cast<unsigned char>(name[at]);
    if (byte < 0x80) {
      if (byte < 0x20 || byte == 0x7F) return {name_fault::control_character, at};
      ++at;
      continue;
    }
    auto const unit = decode(name, at);
    if (unit.bytes == 0) return {name_fault::invalid_utf8, at};
    if (unit.point < 0xA0) return {name_fault::control_character, at};
    at += unit.bytes;
  }
  return {};
}

}  // namespace leasehold::inline v0_1::model
