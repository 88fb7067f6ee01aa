// Decides what becomes of what the dead left behind.
#pragma once

#include "engines/local/session.hpp"

namespace leasehold::inline v0_1::local {

/// Makes a shard's chains, lines, counts and flags anew from its slots. Idempotent, also when it dies half-way.
/// REQUIRES: the shard's latch.
void rebuild(session& s, u32 shard) noexcept;

/// Frees everything that names a dead slot (or ours, which was a dead one's) and then the slots. REQUIRES: the file lock, our own
/// slot live, nothing held yet by us.
[[nodiscard]] result<void> sweep_dead(session& s);

}  // namespace leasehold::inline v0_1::local
