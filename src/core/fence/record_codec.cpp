#include "core/fence/record_codec.hpp"

#include "core/fence/crc32c.hpp"
#include "model/assert.hpp"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <string>

namespace leasehold::inline v0_1::core {
namespace {

constexpr std::string_view log_magic = "leasehold-fence\n";
constexpr std::size_t prefix_size = sizeof(std::uint32_t) + sizeof(std::uint16_t) + sizeof(std::uint64_t);
constexpr std::size_t checksum_size = sizeof(std::uint32_t);
constexpr std::byte delimiter{0};
constexpr std::size_t block_max = 254;  // literal bytes of one stuffing block

template <std::unsigned_integral T>
void store_little_endian(std::byte* to, T value) noexcept {
  for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::byte>((value >> (8 * i)) & 0xFFu);
}

template <std::unsigned_integral T>
T load_little_endian(std::byte const* from) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value |= static_cast<std::uint64_t>(from[i]) << (8 * i);
  return static_cast<T>(value);
}

failure not_a_log(std::string message, std::string hint) {
  return {errc::misconfigured, diagnostics(std::move(message), std::move(hint))};
}

/// Undoes the stuffing, and knows from the body's own lengths where it ends.
class body_reader {
 public:
  enum class outcome { complete, incomplete, damaged };

  /// `bytes` begins after the delimiter. On `complete`, `used()` bytes were the record.
  outcome read(bytes_view bytes) {
    body_.clear();
    used_ = 0;
    while (body_.size() < wanted()) {
      if (used_ == bytes.size()) return outcome::incomplete;
      auto const code = static_cast<std::size_t>(bytes[used_]);
      if (code == 0) return outcome::damaged;
      auto const literal = bytes.subspan(used_ + 1, std::min(code - 1, bytes.size() - used_ - 1));
      if (std::find(literal.begin(), literal.end(), delimiter) != literal.end()) return outcome::damaged;
      body_.insert(body_.end(), literal.begin(), literal.end());
      used_ += 1 + literal.size();
      if (literal.size() < code - 1) return outcome::incomplete;
      if (code <= block_max && body_.size() < wanted()) body_.push_back(delimiter);
      if (body_.size() >= prefix_size && !lengths_are_sane()) return outcome::damaged;
    }
    return body_.size() == wanted() && checksum_matches() ? outcome::complete : outcome::damaged;
  }

  [[nodiscard]] std::size_t used() const noexcept { return used_; }

  /// REQUIRES: the last `read` was complete.
  [[nodiscard]] fenced_log::record record() const {
    auto const* name = reinterpret_cast<char const*>(body_.data() + prefix_size);
    auto const payload = body_.begin() + static_cast<std::ptrdiff_t>(prefix_size + name_size());
    fenced_log::record found;
    found.name.assign(name, name_size());
    found.token = load_little_endian<std::uint64_t>(body_.data() + 6);
    found.payload.assign(payload, payload + static_cast<std::ptrdiff_t>(payload_size()));
    return found;
  }

 private:
  [[nodiscard]] std::size_t payload_size() const noexcept { return load_little_endian<std::uint32_t>(body_.data()); }
  [[nodiscard]] std::size_t name_size() const noexcept { return load_little_endian<std::uint16_t>(body_.data() + 4); }
  [[nodiscard]] bool lengths_are_sane() const noexcept {
    return payload_size() <= record_payload_max && name_size() <= record_name_max;
  }
  [[nodiscard]] std::size_t wanted() const noexcept {
    if (body_.size() < prefix_size) return prefix_size;
    return prefix_size + name_size() + payload_size() + checksum_size;
  }
  [[nodiscard]] bool checksum_matches() const noexcept {
    auto const checked = bytes_view(body_).first(body_.size() - checksum_size);
    return load_little_endian<std::uint32_t>(body_.data() + checked.size()) == crc32c(checked);
  }

  std::vector<std::byte> body_;
  std::size_t used_ = 0;
};

/// From `at` to the next delimiter that can begin a record: the last one of a run (a block of zeros is one damaged
/// place).
std::size_t next_delimiter(bytes_view bytes, std::size_t at) noexcept {
  while (at < bytes.size() && bytes[at] != delimiter) ++at;
  while (at + 1 < bytes.size() && bytes[at + 1] == delimiter) ++at;
  return at;
}

}  // namespace

std::array<std::byte, log_header_size> log_header(std::uint32_t version) noexcept {
  static_assert(log_magic.size() == 16);
  std::array<std::byte, log_header_size> header{};
  std::memcpy(header.data(), log_magic.data(), log_magic.size());
  store_little_endian(header.data() + 16, version);
  store_little_endian(header.data() + 28, crc32c(bytes_view(header).first(28)));
  return header;
}

result<void> check_log_header(bytes_view bytes) {
  auto const ours = std::as_bytes(std::span(log_magic));
  if (bytes.size() < log_header_size || !std::equal(ours.begin(), ours.end(), bytes.begin())) {
    return not_a_log("is not a fenced log", "choose another path; the file was left as it is");
  }
  if (load_little_endian<std::uint32_t>(bytes.data() + 28) != crc32c(bytes.first(28))) {
    return not_a_log("has a damaged header", "restore it from a copy, or move it away and start a new log");
  }
  auto const version = load_little_endian<std::uint32_t>(bytes.data() + 16);
  if (version != log_version) {
    return not_a_log(
        "has format version " + std::to_string(version) + ", this program reads version " + std::to_string(log_version),
        "use the version of leasehold that wrote it");
  }
  return {};
}

std::vector<std::byte> encode_record(std::string_view name, std::uint64_t token, bytes_view payload) {
  LEASEHOLD_ASSERT(name.size() <= record_name_max && payload.size() <= record_payload_max);
  std::vector<std::byte> body(prefix_size);
  store_little_endian(body.data(), static_cast<std::uint32_t>(payload.size()));
  store_little_endian(body.data() + 4, static_cast<std::uint16_t>(name.size()));
  store_little_endian(body.data() + 6, token);
  auto const name_bytes = std::as_bytes(std::span(name));
  body.insert(body.end(), name_bytes.begin(), name_bytes.end());
  body.insert(body.end(), payload.begin(), payload.end());
  auto const checksum = crc32c(body);
  body.resize(body.size() + checksum_size);
  store_little_endian(body.data() + body.size() - checksum_size, checksum);

  std::vector<std::byte> encoded;
  encoded.reserve(body.size() + body.size() / block_max + 3);
  encoded.push_back(delimiter);
  for (std::size_t at = 0; at < body.size();) {
    std::size_t end = at;
    while (end < body.size() && end - at < block_max && body[end] != delimiter) ++end;
    encoded.push_back(static_cast<std::byte>(end - at + 1));
    auto const literal = bytes_view(body).subspan(at, end - at);
    encoded.insert(encoded.end(), literal.begin(), literal.end());
    at = literal.size() < block_max ? end + 1 : end;  // a block that is not full stands for the 0x00 after it, too
  }
  return encoded;
}

std::size_t decode_records(bytes_view bytes, fenced_log::summary& found) {
  body_reader reader;
  std::size_t at = 0;
  while (at < bytes.size()) {
    auto outcome = body_reader::outcome::damaged;
    if (bytes[at] == delimiter) outcome = reader.read(bytes.subspan(at + 1));
    if (outcome == body_reader::outcome::incomplete) return at;
    if (outcome == body_reader::outcome::complete) {
      found.records.push_back(reader.record());
      at += 1 + reader.used();
    } else {
      ++found.damaged;
      at = next_delimiter(bytes, at + 1);
    }
  }
  return at;
}

}  // namespace leasehold::inline v0_1::core
