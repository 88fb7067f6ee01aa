// Decides what every byte of a store file means.
//
// INVARIANT 1: all-zero tables are an empty store; creation writes the header alone.
// INVARIANT 2: a slot's own state (`record::word`, `seat::status`, `process::state`, `block::owner`) is the truth. Chains, lines,
//   counts and flags are indices over it, which `rebuild` makes anew from the slots.
// INVARIANT 3: indices are changed only under their shard's latch. `word` is also changed without it, by CAS alone: free → held
//   and held → free of records nobody waits for, and held → held_on_terms by the holder.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace leasehold::inline v0_1::local {

using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

inline constexpr std::array<char, 16> store_magic{'l', 'e', 'a', 's', 'e', 'h', 'o', 'l',
                                                  'd', ' ', 's', 't', 'o', 'r', 'e', '\n'};
inline constexpr u32 format_version = 2;
inline constexpr u32 process_count = 4096;
inline constexpr u32 shard_count = 64;
inline constexpr u32 seat_count = 32768;
inline constexpr u32 capacity_max = 1U << 24;
inline constexpr std::size_t name_bytes_max = 255;
inline constexpr std::size_t metadata_bytes_max = 4096;

/// An index plus one; 0 = none.
using id = u32;
/// A process slot that is never dead: a detached lease ends by its deadline alone.
inline constexpr u16 nobody = 0xFFFF;

enum class kind : std::uint8_t {
  free = 0,
  held = 1,           ///< by process `owner`, until released or dead; the record's terms are not valid
  held_on_terms = 2,  ///< as `held`, and the record's deadline (0: none) and lock delay bind
  reserved = 3,       ///< for the waiter in seat `owner`; until `deadline`
  held_off = 4,       ///< by nobody, until `deadline`
  shared = 5,         ///< by the seats in `holders`
  changing = 6,       ///< the record is being renamed; after a crash it has no name
};

/// The state of one record in 64 bits: kind 3, waiters 1, owner 16, seq 44 (low bits of the token that last changed it).
struct word {
  static constexpr int seq_bits = 44;
  static constexpr u64 seq_mask = (u64{1} << seq_bits) - 1;
  static constexpr u64 waiters_bit = u64{1} << 60;

  u64 bits = 0;

  static constexpr word make(kind k, u16 owner, u64 token, bool waiters = false) noexcept {
    return {static_cast<u64>(k) << 61 | (waiters ? waiters_bit : 0) | static_cast<u64>(owner) << seq_bits |
            (token & seq_mask)};
  }
  [[nodiscard]] constexpr local::kind kind() const noexcept { return static_cast<local::kind>(bits >> 61); }
  [[nodiscard]] constexpr bool waiters() const noexcept { return (bits & waiters_bit) != 0; }
  [[nodiscard]] constexpr u16 owner() const noexcept { return static_cast<u16>(bits >> seq_bits); }
  [[nodiscard]] constexpr u64 seq() const noexcept { return bits & seq_mask; }
  [[nodiscard]] constexpr bool is_held() const noexcept {
    return kind() == kind::held || kind() == kind::held_on_terms;
  }
  [[nodiscard]] constexpr word with(local::kind k) const noexcept { return make(k, owner(), seq(), waiters()); }
  [[nodiscard]] constexpr word with_waiters(bool w) const noexcept { return make(kind(), owner(), seq(), w); }
  /// The same grant, whatever waits for it.
  [[nodiscard]] constexpr bool is_grant(u16 process, u64 token) const noexcept {
    return is_held() && owner() == process && seq() == (token & seq_mask);
  }
  friend constexpr bool operator==(word, word) noexcept = default;
};

/// A deadline's lowest bit: somebody takes over, no renewal may move it any more. Times are therefore even.
inline constexpr u64 taken_bit = 1;

struct header {
  // Constant after creation, covered by `checksum`.
  std::array<char, 16> magic;
  u32 version;
  u32 layout_hash;
  u64 capacity;
  u64 file_bytes;
  std::array<std::uint8_t, 16> uuid;
  u32 reserved;
  u32 checksum;                          ///< of every byte before it
  alignas(64) std::atomic<u64> token;    ///< the last one granted
  alignas(64) std::atomic<u64> ceiling;  ///< durable: no token beyond it was ever granted
  std::array<std::atomic<u64>, 2> boot;  ///< the boot the tables belong to
  std::atomic<u64> pid_namespace;
  std::atomic<u32> registrar;                 ///< pid of who last locked the file, to name it when it does not let go
  alignas(64) std::atomic<u32> process_high;  ///< slots from here on were never used
  std::atomic<u32> seat_high;
  std::atomic<u32> seat_hint;
  std::atomic<u32> block_high;
  std::atomic<u32> block_hint;
};

/// `dead`: what still names it is free to take; it must be swept before its slot is used again.
enum class process_state : u32 { free = 0, live = 1, dead = 2 };

struct alignas(64) process {
  std::atomic<process_state> state;
  std::atomic<u32> pid;
  std::atomic<u64> start_time;  ///< clock ticks since boot, as in /proc/PID/stat: pid and this name one process
  std::atomic<u64> pid_namespace;
  std::atomic<u32> uid;
  std::atomic<u32> beacon_tid;  ///< the thread that holds the beacon
  std::atomic<u32> beacon;      ///< on a robust list: the kernel marks it FUTEX_OWNER_DIED when the process ends
  std::atomic<u32> mailbox;     ///< grows when its process has something to look at
  std::atomic<u32> revoked;     ///< grows when a grant of its was taken away
};

struct alignas(64) shard {
  std::atomic<u32> latch;
  std::atomic<u32> used;   ///< records from here on were never used
  std::atomic<u32> hand;   ///< where the search for a name to forget goes on
  std::atomic<u64> order;  ///< the last place in line given out
};

inline constexpr u32 text_words = 3;

/// The first cache line has all that an uncontended grant of a short name without terms touches.
struct alignas(64) record {
  std::atomic<u64> word;
  std::atomic<u64> hash;
  std::atomic<u64> acquired_at;
  std::atomic<u64> stamp;                         ///< token of the grant that acquired_at, terms and metadata describe
  std::atomic<u32> next;                          ///< chain
  std::atomic<u32> lengths;                       ///< name, metadata: 16 bits each
  std::array<std::atomic<u64>, text_words> text;  ///< name, from the next word on metadata
  std::atomic<u64> deadline;                      ///< BOOTTIME ns; what ends then is the word's kind; 0 = none
  std::atomic<u64> ttl;
  std::atomic<u64> lock_delay;
  std::atomic<u64> ticket;  ///< secret of a detached lease
  std::atomic<u32> head;    ///< the line
  std::atomic<u32> tail;
  std::atomic<u32> holders;  ///< seats that share it
  std::atomic<u32> waiting;
  std::atomic<u32> holding;
  std::atomic<u32> blocks;  ///< overflow of `text`
  std::atomic<u32> notes;   ///< blocks of what holders leave behind
  std::atomic<u32> mode;    ///< capacity of the shared mode in use
};

enum class seat_state : std::uint8_t { free = 0, claimed = 1, waiting = 2, holding = 3, passed_over = 4 };

/// What a seat is used for and by whom (a process slot, or `nobody`), changed together.
struct seat_status {
  u32 bits = 0;
  static constexpr seat_status make(seat_state s, u16 owner) noexcept {
    return {u32{owner} << 8 | static_cast<u32>(s)};
  }
  [[nodiscard]] constexpr seat_state state() const noexcept { return static_cast<seat_state>(bits & 0xFF); }
  [[nodiscard]] constexpr u16 owner() const noexcept { return static_cast<u16>(bits >> 8); }
};

inline constexpr u32 seat_text_words = 12;

/// One waiter, or one holder of a shared name.
struct alignas(64) seat {
  std::atomic<u32> status;
  std::atomic<u32> wake;
  std::atomic<u32> record;
  std::atomic<u32> next;
  std::atomic<u32> previous;
  std::atomic<u32> mode;
  std::atomic<u32> is_async;
  std::atomic<u32> text_bytes;
  std::atomic<u64> order;
  std::atomic<u64> since;
  std::atomic<u64> token;
  std::atomic<u64> deadline;  ///< as a record's
  std::atomic<u64> ttl;
  std::atomic<u64> lock_delay;
  std::atomic<u64> ticket;
  std::atomic<u64> reserved;
  std::array<std::atomic<u64>, seat_text_words> text;  ///< metadata, as much as fits
};

inline constexpr u32 block_words = 31;

struct alignas(64) block {
  std::atomic<u32> owner;  ///< record
  std::atomic<u32> next;
  std::array<std::atomic<u64>, block_words> text;
};

static_assert(sizeof(header) == 256 && sizeof(process) == 64 && sizeof(shard) == 64);
static_assert(sizeof(record) == 128 && sizeof(seat) == 192 && sizeof(block) == 256);
static_assert(offsetof(record, text) == 40 && offsetof(record, deadline) == 64 && offsetof(seat, order) == 32);
static_assert(std::atomic<u64>::is_always_lock_free && std::atomic<u32>::is_always_lock_free);
static_assert(std::atomic<process_state>::is_always_lock_free);
static_assert(sizeof(std::atomic<u64>) == 8 && sizeof(std::atomic<u32>) == 4, "the same bytes in every process");

/// Where the tables lie for a given capacity (names).
struct geometry {
  u32 slice = 0;    ///< records of one shard: its share of the capacity and slack for uneven hashes
  u32 buckets = 0;  ///< of one shard; a power of two
  u32 records = 0;
  u32 blocks = 0;
  u64 processes_at = 0, shards_at = 0, buckets_at = 0, seats_at = 0, records_at = 0, blocks_at = 0;
  u64 bytes = 0;

  /// REQUIRES: 1 <= capacity <= capacity_max.
  static constexpr geometry of(u64 capacity) noexcept {
    geometry g;
    u64 const share = (capacity + shard_count - 1) / shard_count;
    u64 root = 1;
    while (root * root < share) ++root;
    g.slice = static_cast<u32>(share + 8 * root + 8);  // 8 standard deviations
    g.buckets = 1;
    while (4 * g.buckets < g.slice) g.buckets *= 2;
    g.records = g.slice * shard_count;
    g.blocks = g.records + g.records / 2;
    u64 at = page;
    auto place = [&at](u64 size) {
      u64 const here = at;
      at += (size + page - 1) / page * page;
      return here;
    };
    g.processes_at = place(sizeof(process) * process_count);
    g.shards_at = place(sizeof(shard) * shard_count);
    g.buckets_at = place(sizeof(u32) * u64{g.buckets} * shard_count);
    g.seats_at = place(sizeof(seat) * seat_count);
    g.records_at = place(sizeof(record) * u64{g.records});
    g.blocks_at = place(sizeof(block) * u64{g.blocks});
    g.bytes = at;
    return g;
  }
  static constexpr u64 page = 4096;
};

/// Changes whenever two builds would read a file differently.
[[nodiscard]] constexpr u32 layout_hash() noexcept {
  u32 h = 2166136261U;
  for (u64 part :
       {u64{sizeof(void*)}, u64{sizeof(header)}, u64{sizeof(process)}, u64{sizeof(shard)}, u64{sizeof(record)},
        u64{sizeof(seat)}, u64{sizeof(block)}, u64{process_count}, u64{shard_count}, u64{seat_count},
        u64{offsetof(process, beacon)}, u64{offsetof(record, text)}, u64{offsetof(seat, order)},
        geometry::of(65536).bytes, u64{static_cast<u64>(std::atomic_ref<u32>::required_alignment)}}) {
    h = (h ^ static_cast<u32>(part)) * 16777619U;
  }
  return h;
}

}  // namespace leasehold::inline v0_1::local
