#include "engines/local/text.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

namespace {

/// Of one chain: name and metadata, or what holders leave behind (texts, and a few words more).
constexpr u32 blocks_of_one_chain_max = (1024 + 2 * metadata_bytes_max) / (std::size_t{block_words} * 8) + 2;

/// A block that was free, now the record's; 0 when there is none.
id claim_block(view const& mem, id owner) noexcept {
  auto& head = mem.header();
  u32 const start = get(head.block_hint);
  for (u32 i = 0; i < mem.geometry().blocks; ++i) {
    u32 const index = (start + i) % mem.geometry().blocks;
    auto& b = mem.block_at(index + 1);
    if (u32 high = get(head.block_high); high <= index) {
      while (high <= index && !swap(head.block_high, high, index + 1)) {
      }
    }
    u32 none = 0;
    if (get(b.owner) != 0 || !swap(b.owner, none, owner)) continue;
    put(b.next, 0);
    head.block_hint.store((index + 1) % mem.geometry().blocks, std::memory_order_relaxed);
    return index + 1;
  }
  return 0;
}

}  // namespace

u64 hash_name(std::string_view name) noexcept {
  constexpr u64 k = 0x9E3779B97F4A7C15;
  u64 h = name.size() * k;
  for (u32 i = 0; i < words_for(name.size()); ++i) {
    h = (h ^ word_of(name, i)) * k;
    h ^= h >> 32;
  }
  h *= 0xD6E8FEB86659FD93;
  h ^= h >> 32;
  return h * k;
}

std::atomic<u64>* text_cursor::next() noexcept {
  if (used_ == words_.size()) {
    block* const b = blocks_ < blocks_of_one_chain_max ? mem_.block(get(*next_)) : nullptr;
    if (b == nullptr) return nullptr;
    words_ = b->text;
    next_ = &b->next;
    used_ = 0;
    ++blocks_;
  }
  return &words_[used_++];
}

bool has_name(view const& mem, record& r, std::string_view name) noexcept {
  if (name_bytes(get(r.lengths)) != name.size()) return false;
  u32 const words = words_for(name.size());
  u32 const own = std::min(words, text_words);
  for (u32 i = 0; i < own; ++i) {
    if (get(r.text[i]) != word_of(name, i)) return false;
  }
  if (words == own) return true;
  text_cursor at(mem, r);
  at.skip(own);
  for (u32 i = own; i < words; ++i) {
    auto const* w = at.next();
    if (w == nullptr || get(*w) != word_of(name, i)) return false;
  }
  return true;
}

void write_text(text_cursor& at, std::string_view text) noexcept {
  for (u32 i = 0; i < words_for(text.size()); ++i) {
    auto* const w = at.next();
    if (w == nullptr) return;
    put(*w, word_of(text, i));
  }
}

std::string read_text(text_cursor& at, std::size_t bytes) {
  std::string text(std::size_t{words_for(bytes)} * 8, '\0');
  for (u32 i = 0; i < words_for(bytes); ++i) {
    auto const* w = at.next();
    u64 const value = w != nullptr ? get(*w) : 0;
    std::memcpy(text.data() + std::size_t{i} * 8, &value, 8);
  }
  text.resize(bytes);
  return text;
}

std::string name_of(view const& mem, record& r) {
  text_cursor at(mem, r);
  return read_text(at, std::min<std::size_t>(name_bytes(get(r.lengths)), name_bytes_max));
}

std::string metadata_of(view const& mem, record& r) {
  u32 const lengths = get(r.lengths);
  text_cursor at(mem, r);
  at.skip(words_for(name_bytes(lengths)));
  return read_text(at, std::min<std::size_t>(metadata_bytes(lengths), metadata_bytes_max));
}

bool has_room(view const& mem, record& r, u32 words) noexcept {
  u32 room = text_words;
  auto* next = &r.blocks;
  for (u32 n = 0; room < words && n < blocks_of_one_chain_max; ++n, room += block_words) {
    block* const b = mem.block(get(*next));
    if (b == nullptr) return false;
    next = &b->next;
  }
  return room >= words;
}

bool make_room(view const& mem, id which, u32 words) noexcept {
  auto& r = mem.record_at(which);
  u32 room = text_words;
  auto* next = &r.blocks;
  for (u32 n = 0; room < words && n < blocks_of_one_chain_max; ++n, room += block_words) {
    if (mem.block(get(*next)) == nullptr) {
      id const fresh = claim_block(mem, which);
      if (fresh == 0) return false;
      put(*next, fresh);
    }
    next = &mem.block_at(get(*next)).next;
  }
  return room >= words;
}

id claim_chain(view const& mem, id owner, u32 words) noexcept {
  id first = 0;
  for (u32 room = 0; room < words; room += block_words) {
    id const fresh = claim_block(mem, owner);
    if (fresh == 0) {
      free_chain(mem, first);
      return 0;
    }
    put(mem.block_at(fresh).next, first);
    first = fresh;
  }
  return first;
}

void free_chain(view const& mem, id first) noexcept {
  for (u32 n = 0; n < blocks_of_one_chain_max; ++n) {
    block* const b = mem.block(first);
    if (b == nullptr) return;
    first = get(b->next);
    put(b->owner, 0);
  }
}

void free_blocks(view const& mem, record& r) noexcept {
  id const first = get(r.blocks);
  put(r.blocks, 0);
  free_chain(mem, first);
}

void free_lost_blocks(view const& mem, u32 shard) noexcept {
  auto reaches = [&mem](id at, id which) {
    for (u32 n = 0; n < blocks_of_one_chain_max && at != which; ++n) {
      block* const b = mem.block(at);
      at = b != nullptr ? get(b->next) : 0;
    }
    return at == which;
  };
  for (id which = 1; which <= mem.used_blocks(); ++which) {
    auto& b = mem.block_at(which);
    id const owner = get(b.owner);
    if (mem.record(owner) == nullptr || mem.shard_of_record(owner) != shard) continue;
    auto const& r = mem.record_at(owner);
    if (!reaches(get(r.blocks), which) && !reaches(get(r.notes), which)) put(b.owner, 0);
  }
}

std::string encode_metadata(std::string_view identity, std::string_view reason, std::span<label const> labels) {
  if (identity.empty() && reason.empty() && labels.empty()) return {};
  std::string out;
  auto add = [&out](std::string_view part) {
    auto const n = static_cast<u16>(std::min<std::size_t>(part.size(), 0xFFFF));
    out.push_back(static_cast<char>(n & 0xFF));
    out.push_back(static_cast<char>(n >> 8));
    out.append(part.substr(0, n));
  };
  add(identity);
  add(reason);
  for (auto const& l : labels) {
    add(l.key);
    add(l.value);
  }
  return out;
}

void decode_metadata(std::string_view bytes, holder_info& into) {
  auto take = [&bytes](std::string& part) {
    if (bytes.size() < 2) return false;
    auto const n =
        static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]) | static_cast<unsigned char>(bytes[1]) << 8);
    bytes.remove_prefix(2);
    part = bytes.substr(0, n);
    bytes.remove_prefix(std::min(n, bytes.size()));
    return true;
  };
  std::string identity;
  if (take(identity) && !identity.empty()) into.identity = std::move(identity);
  if (!take(into.reason)) return;
  std::string key;
  std::string value;
  while (take(key) && take(value)) into.labels.emplace_back(std::move(key), std::move(value));
}

}  // namespace leasehold::inline v0_1::local
