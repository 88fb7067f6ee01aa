// Decides the bytes of a fenced log: the file header, and records that can be found again after any damage.
//
// A record is one 0x00 byte, then its body without any 0x00 byte (consistent overhead byte stuffing). The body is,
// little-endian: payload length (u32), name length (u16), token (u64), name, payload, CRC-32C of all that (u32).
// INVARIANT: 0x00 appears in a log only at the start of a record, so a reader that lost its way continues at the next
// one, and no payload can be mistaken for a record. INVARIANT: no proper prefix of a record is a record.
#pragma once

#include <leasehold/fence.hpp>
#include <leasehold/result.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::core {

using bytes_view = std::span<std::byte const>;

inline constexpr std::size_t log_header_size = 32;
inline constexpr std::uint32_t log_version = 1;
inline constexpr std::size_t record_name_max = 255;
inline constexpr std::size_t record_payload_max = std::size_t{64} * 1024;

[[nodiscard]] std::array<std::byte, log_header_size> log_header(std::uint32_t version = log_version) noexcept;
/// errc::misconfigured, and why, unless `bytes` (the first bytes of a file) are a header this version can read.
[[nodiscard]] result<void> check_log_header(bytes_view bytes);

/// REQUIRES: name and payload within the limits above.
[[nodiscard]] std::vector<std::byte> encode_record(std::string_view name, std::uint64_t token, bytes_view payload);

/// Appends the records found in `bytes` to `found` (`is_void` untouched) and counts the damaged places. Returns how
/// many bytes need not be looked at again: what comes after them may be a record still being written.
[[nodiscard]] std::size_t decode_records(bytes_view bytes, fenced_log::summary& found);

}  // namespace leasehold::inline v0_1::core
