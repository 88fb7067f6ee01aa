// Decides how a record's name and metadata are laid out over its own words and its overflow blocks. Every access is atomic by
// the word, so that a lock-free reader of a record that is being renamed reads nonsense at worst; it finds out by the word's CAS.
#pragma once

#include "engines/local/view.hpp"

#include <leasehold/info.hpp>
#include <leasehold/options.hpp>

#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::local {

[[nodiscard]] inline u32 words_for(std::size_t bytes) noexcept { return static_cast<u32>((bytes + 7) / 8); }
[[nodiscard]] inline u32 name_bytes(u32 lengths) noexcept { return lengths & 0xFFFF; }
[[nodiscard]] inline u32 metadata_bytes(u32 lengths) noexcept { return lengths >> 16; }
[[nodiscard]] inline u32 make_lengths(std::size_t name, std::size_t metadata) noexcept {
  return static_cast<u32>(name) | static_cast<u32>(metadata) << 16;
}

/// The word of `text` at byte `8 * index`, zero-padded.
[[nodiscard]] inline u64 word_of(std::string_view text, u32 index) noexcept {
  u64 value = 0;
  std::size_t const from = std::size_t{index} * 8;
  if (from >= text.size()) return value;
  std::size_t const left = text.size() - from;
  if (left >= 8) {
    std::memcpy(&value, text.data() + from, 8);
  } else if (std::endian::native == std::endian::little && from > 0) {
    std::memcpy(&value, text.data() + text.size() - 8, 8);  // the end of the text, the part before `from` shifted out
    value >>= 8 * (8 - left);
  } else {
    std::memcpy(&value, text.data() + from, left);
  }
  return value;
}

/// Goes through the words of a record's text in order.
class text_cursor {
 public:
  text_cursor(view const& mem, record& r) noexcept : mem_(mem), words_(r.text), next_(&r.blocks) {}
  /// Of a chain of blocks alone.
  text_cursor(view const& mem, std::atomic<u32>& first) noexcept : mem_(mem), next_(&first) {}
  /// Null past the end of what is allocated.
  [[nodiscard]] std::atomic<u64>* next() noexcept;
  void skip(u32 words) noexcept {
    while (words-- > 0 && next() != nullptr) {
    }
  }

 private:
  view const& mem_;
  std::span<std::atomic<u64>> words_;
  std::atomic<u32> const* next_;
  u32 used_ = 0;
  u32 blocks_ = 0;
};

[[nodiscard]] bool has_name(view const& mem, record& r, std::string_view name) noexcept;
/// What fits in `words` words of text. REQUIRES: room.
void write_text(text_cursor& at, std::string_view text) noexcept;
[[nodiscard]] std::string read_text(text_cursor& at, std::size_t bytes);
[[nodiscard]] std::string name_of(view const& mem, record& r);
[[nodiscard]] std::string metadata_of(view const& mem, record& r);

/// Makes the record's text at least that long. REQUIRES: the shard's latch. False: the pool of blocks is used up.
[[nodiscard]] bool make_room(view const& mem, id which, u32 words) noexcept;
[[nodiscard]] bool has_room(view const& mem, record& r, u32 words) noexcept;
/// A new chain for that many words, not linked to the record yet; 0: the pool is used up. REQUIRES: the shard's latch.
[[nodiscard]] id claim_chain(view const& mem, id owner, u32 words) noexcept;
// REQUIRES: the shard's latch.
void free_chain(view const& mem, id first) noexcept;
void free_blocks(view const& mem, record& r) noexcept;
/// Frees blocks of the shard's records that no chain reaches. REQUIRES: the shard's latch.
void free_lost_blocks(view const& mem, u32 shard) noexcept;

/// Identity, reason and labels as bytes, empty when all are. Reading is total.
[[nodiscard]] std::string encode_metadata(std::string_view identity, std::string_view reason,
                                          std::span<label const> labels);
void decode_metadata(std::string_view bytes, holder_info& into);

}  // namespace leasehold::inline v0_1::local
