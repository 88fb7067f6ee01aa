// Decides how an engine states what it can promise, and how a caller states what it needs.
#pragma once

#include <leasehold/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace leasehold::inline v0_1 {

/// What exclusion rests on, weakest first. `docs/guarantees.md` says per engine what breaks it.
enum class exclusion {
  best_effort,  ///< BEST: no promise
  timed,        ///< TIMED: exclusive under stated timing assumptions
  exact,        ///< EXACT: exclusive without any timing; a paused holder still holds
};
/// Whether tokens grow strictly per name, weakest first.
enum class fencing {
  none,         ///< no token
  conditional,  ///< FENCE under a stated condition (for instance: clocks agree within the probation time)
  always,       ///< FENCE: independent of clocks
};
enum class waiting { polling, push, fifo };

/// How many may hold a name together. A mutex is exclusive; a reader is shared without bound; a semaphore of N is shared with
/// capacity N. A mutex and readers may share a name, a semaphore shares its name with nothing (errc::mode_mismatch).
struct mode {
  /// 0 = exclusive; `unbounded` = reader; else the semaphore's capacity.
  std::uint32_t capacity = 0;
  static constexpr std::uint32_t unbounded = UINT32_MAX;

  static constexpr mode exclusive() noexcept { return {0}; }
  static constexpr mode reader() noexcept { return {unbounded}; }
  static constexpr mode semaphore(std::uint32_t n) noexcept { return {n}; }
  [[nodiscard]] constexpr bool is_exclusive() const noexcept { return capacity == 0; }
  [[nodiscard]] constexpr bool is_reader() const noexcept { return capacity == unbounded; }
  [[nodiscard]] constexpr bool is_semaphore() const noexcept { return !is_exclusive() && !is_reader(); }
  friend constexpr bool operator==(mode, mode) noexcept = default;
};

/// A store's promises. The `string_view`s have static storage.
struct traits {
  std::string_view engine;
  leasehold::exclusion exclusion = exclusion::best_effort;  ///< of a lease without a TTL where `ttl_default` is absent
  leasehold::exclusion exclusion_with_ttl = exclusion::best_effort;  ///< of a lease that asked for a TTL
  leasehold::fencing fencing = fencing::none;
  leasehold::waiting waiting = waiting::polling;
  bool shared = false;                         ///< readers
  bool semaphore = false;                      ///< counted permits
  bool slots = false;                          ///< permits are numbered: tokens grow per slot (`lease::slot()`)
  bool survives_holder_crash_at_once = false;  ///< a dead holder's lock is free without waiting for a TTL
  std::optional<duration> ttl_default;         ///< absent: a lease needs no TTL
  duration ttl_min{};
  duration ttl_max{};
  std::size_t metadata_bytes_max = 0;
  std::size_t note_bytes_max = 0;  ///< of `lease::note`; 0: this engine keeps no notes and tells of no previous holder
  std::size_t result_bytes_max = 0;  ///< of `lease::complete`; 0: this engine records no completions
  std::string_view summary;          ///< one honest sentence
};

/// What a caller needs; opening or acquiring fails with errc::unsupported on an engine that has less.
struct requirements {
  leasehold::exclusion exclusion = exclusion::best_effort;
  leasehold::fencing fencing = fencing::none;
  bool fifo = false;
};

}  // namespace leasehold::inline v0_1
