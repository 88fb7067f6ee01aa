// Decides what happens in the server: each verb is one script, atomic there. Keys and arguments are listed with each.
#pragma once

#include <leasehold/config.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::redis {

/// The format of everything these scripts store; a guard with another one is refused.
inline constexpr std::string_view format_version = "1";

struct script {
  std::string_view name;
  std::string text;
  std::string sha;
  std::string function{};  ///< its name as a function of the server (Redis 7 and later); empty: it is not worth one
  std::string library{};   ///< what to load for that
};

/// The keys: lock, line, waiters, shared, metadata (`name_keys`), then guard, index. Capacity: 0 = exclusive, 4294967295 = reader.
/// Times are milliseconds.

/// owner, ttl, lock delay, capacity, description, maximal ttl (0: unguarded), place in line ("lifetime channel", or empty: none) →
///   {"G", token} | {"B", ms until the obstacle ends (-1: never by itself, -2: reserved for another), ahead, value of the lock's key,
///   description of its holder} | {"M"} other kind | {"P", ms left, ms since, "fresh"|"restart"} | {"T", maximal ttl} | {"V", version}
[[nodiscard]] script const& acquire_script();
/// owner, lock delay, hold off → 1 released | 2 left the line | 0 absent, free | -1 absent, taken
[[nodiscard]] script const& withdraw_script();
/// Keys: locks of exclusive claims. Arguments, for each: owner, ttl, lock delay. → for each: 1 | 0 lost
[[nodiscard]] script const& renew_script();
/// owner, ttl, lock delay → 1 | 0 lost
[[nodiscard]] script const& renew_shared_script();
/// → {now, value or nil, pttl, description or nil, {owner, expiry, …}, {owner, description, …}, {waiter, …}, {entry, …}}
[[nodiscard]] script const& inspect_script();
/// token, 1 = free at once → 1 | 0 nobody holds with that token
[[nodiscard]] script const& evict_script();
/// owner before, owner after, description → {token, ms left} | 0 lost
[[nodiscard]] script const& adopt_script();
/// Key: guard. Argument: maximal ttl. → 1 | {"V", version}
[[nodiscard]] script const& initialize_script();

}  // namespace leasehold::inline v0_1::redis
