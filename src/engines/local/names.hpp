// Decides where a name's record is: found without a lock, made or remade under its shard's latch.
//
// INVARIANT: a record changes its name only between two changes of its word (kind `changing`), so whoever read the word, then saw
// the name, and then changes the word by CAS, changes the right name's.
#pragma once

#include "engines/local/text.hpp"
#include "engines/local/visit.hpp"

namespace leasehold::inline v0_1::local {

struct sighting {
  id which = 0;  ///< 0: not there, or missed because the chain was changing
  word seen;     ///< read before the name was compared
};

/// Lock-free.
[[nodiscard]] sighting find_name(view const& mem, u64 hash, std::string_view name) noexcept;
/// Whether a record, met before, still has this name; `seen` as above.
[[nodiscard]] inline bool is_still(view const& mem, record& r, u64 hash, std::string_view name, word& seen) noexcept {
  seen.bits = get(r.word);
  return get(r.hash) == hash && has_name(mem, r, name);
}

/// Under the visit's latch: finds the name or gives it a record, in place of one that is free. errc::unavailable when every
/// record of the shard is in use, naming the counts and the process that holds most of them.
[[nodiscard]] result<id> find_or_add(visit& at, u64 hash, std::string_view name);

}  // namespace leasehold::inline v0_1::local
