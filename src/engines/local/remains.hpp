// Decides how what holders leave behind is kept with a name: the note of the one that holds, the end of the last one that did not
// release, and a completion. They lie in blocks of their own, behind `record::notes`.
//
// INVARIANT 1: a chain is written whole, then published by one store of `record::notes`, then the one before it is freed; all of it under
//   the shard's latch. After a crash one of the two is there, and `free_lost_blocks` frees what the other left.
// INVARIANT 2: grants are named by the sequence of their word (`word::seq`), which a word keeps until the next grant. So an end belongs to
//   the grant directly before one's own exactly if its sequence is that of the word one took.
#pragma once

#include "engines/local/visit.hpp"

#include <leasehold/info.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::local {

inline constexpr std::size_t note_bytes_max = 255;
inline constexpr std::size_t result_bytes_max = 4096;

/// Grants are their words' sequences; 0: none.
struct remains {
  u64 noted_by = 0;
  std::string note;

  u64 ended = 0;
  u64 ended_token = 0;  ///< 0: it ended before it wrote its token down
  u64 ended_at = 0;
  u64 began_at = 0;
  bool has_died = false;  ///< else its time ran out
  u32 pid = 0;
  u32 uid = 0;
  std::string metadata;
  std::string last_note;

  u64 completed_by = 0;  ///< token
  u64 until = 0;
  std::string result;

  [[nodiscard]] bool is_completed(instant at) const noexcept { return until != 0 && at < static_cast<instant>(until); }
};

// REQUIRES for all: the shard's latch.
/// Total: of damaged blocks it reads nonsense.
[[nodiscard]] remains read_remains(view const& mem, record& r);
/// False, and nothing changed: the pool of blocks is used up.
[[nodiscard]] bool write_remains(view const& mem, id which, remains const& what);
void drop_remains(view const& mem, record& r) noexcept;
/// Whether a completion that is still remembered keeps the record from being forgotten.
[[nodiscard]] bool is_completed(view const& mem, record& r, instant at) noexcept;
/// Gives back the blocks of the shard's notes and ends that are no completions. Whether there were any.
bool drop_idle_remains(visit& at);

/// The grant of `w` ends without a release.
void remember_end(visit& at, id which, word w, bool has_died, instant ended_at);

}  // namespace leasehold::inline v0_1::local
