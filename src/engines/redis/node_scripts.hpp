// Decides what happens in a server that is one of several nodes: each verb is one script, atomic there. No clock moves a counter.
#pragma once

#include "engines/redis/scripts.hpp"

namespace leasehold::inline v0_1::redis {

/// The keys: lock, line, waiters, shared, metadata (`node_keys`), then node, held. Capacity: 0 = exclusive, 4294967295 = reader.
/// Times are milliseconds. What the lock's own key and `shared` hold is as in `scripts.hpp`. The owner of a permit ends in "/" and the
/// number of its slot: each slot is a lock of its own, one owner at a time.

/// owner, ttl, lock delay, capacity, hint, description, maximal ttl, list, its words, waiter ("" = none), waited, channel →
///   {"G", counter} | {"B", largest counter, ms until the obstacle ends (-1: never by itself), value of the lock's key, description
///   of its holder, a slot that is free instead (-1: none)} | {"M"} other kind | {"P", ms left (0: may rejoin), ms since, "fresh"|"restart"} | {"T", maximal ttl} | {"L", words of the other
///   list} | {"V", version}
[[nodiscard]] script const& node_ask_script();
/// owner before, owner, hint, description → {counter, ms left} | 0 not held, or the node does not vote
[[nodiscard]] script const& node_adopt_script();
/// owner, token → 1 raised | 0 not its own any more
[[nodiscard]] script const& node_settle_script();
/// owner, lock delay, hold off, 1 = call nobody, waiter → 1 released | 0 absent, free | -1 absent, taken
[[nodiscard]] script const& node_release_script();
/// → as `inspect_script`
[[nodiscard]] script const& node_inspect_script();
/// owner, 1 = free at once → 1 | 0 not its own
[[nodiscard]] script const& node_evict_script();
/// Key: node. Argument: list. → {1 = votes, largest counter, run id, words of another list or ""} | {"V", version}
[[nodiscard]] script const& node_look_script();
/// Key: node. Arguments: counter, list. → 1 | 0 it is not waiting for that
[[nodiscard]] script const& node_rejoin_script();
/// Key: node. Arguments: counter, list, its words, maximal ttl. → 1 | {"V", version}
[[nodiscard]] script const& node_initialize_script();

}  // namespace leasehold::inline v0_1::redis
