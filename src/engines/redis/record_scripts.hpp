// Decides what happens in the server when a holder leaves something behind: its note, its end, a completion. Notes and ends are parts of
// the name's entry in the index: what the holder says of itself, `&n=<note>` in it, and, behind a line feed, the last line of whoever held
// before and did not release (with `&gone=<ms>` if that was noticed before the next grant). A completion is a key of its own.
#pragma once

#include "engines/redis/scripts.hpp"

namespace leasehold::inline v0_1::redis {

/// owner, lock delay, note (escaped) → 1 | 0 lost
[[nodiscard]] script const& note_script();
/// owner, lock delay → {now, the entry} | 0 lost
[[nodiscard]] script const& previous_script();
/// The keys: lock, index, record. owner, lock delay, window, result → 1 | 0 lost | -1 another is there
[[nodiscard]] script const& record_script();
/// The key: record. → {value, ms left} | 0 none
[[nodiscard]] script const& recorded_script();

}  // namespace leasehold::inline v0_1::redis
