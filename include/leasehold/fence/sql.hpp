// Decides the SQL by which a database refuses a stale token; <leasehold/fence/postgres.hpp> and <leasehold/fence/sqlite.hpp> send it.
//
// The fence is a table beside the data, one row per lock name with the largest token that has written. A holder moves its row and writes
// its data in one transaction, so what takes the one back (a rollback, a lossy fail-over, an old backup) takes the other back too: the
// fence cannot be outrun by the data. No clock is asked.
//
// A token is known to the database once its holder has written, or announced itself. So whoever reads, thinks and then writes calls
// `fenced_update` for the reading too: after that no earlier holder's write can come in between.
#pragma once

#include <leasehold/result.hpp>
#include <leasehold/store.hpp>

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>

namespace leasehold::inline v0_1::fence {

/// For both databases.
inline constexpr char const* sql_table =
    "CREATE TABLE IF NOT EXISTS leasehold_fence (name text PRIMARY KEY, token bigint NOT NULL)";
/// $1 the lock's name, $2 the token. Changes one row, or none: then a larger token has been seen. Within the transaction of the write it
/// also makes every other writer of this name wait.
inline constexpr char const* sql_admit =
    "INSERT INTO leasehold_fence (name, token) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET token = excluded.token "
    "WHERE leasehold_fence.token <= excluded.token";
/// $1 the lock's name; no row: no token has been seen.
inline constexpr char const* sql_largest = "SELECT token FROM leasehold_fence WHERE name = $1";

/// What `fenced_update` calls: returns nothing, or whether it worked.
template <class T>
concept write_function = std::same_as < std::invoke_result_t<T&>,
void > || std::same_as<std::invoke_result_t<T&>, result<void>>;

namespace detail {

inline failure stale(std::string_view name, std::uint64_t token) {
  return {errc::lost, diagnostics("token " + std::to_string(token) + " of " + std::string(name) +
                                      " is stale: a later holder has written since; nothing was changed",
                                  "acquire the lock again, read again, and write with the new token")};
}

/// The column is signed.
inline result<void> check(std::string_view name, std::uint64_t token) {
  if (auto good = check_name(name); !good) return good;
  if (token <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return {};
  return failure(errc::bad_option, diagnostics("token " + std::to_string(token) + " does not fit a bigint",
                                               "hand on the token of a lease as it is"));
}

/// The one order of steps. `database` begins, admits, commits and rolls back.
template <class Database, write_function Write>
result<void> update(Database const& database, std::string_view name, std::uint64_t token, Write& write) {
  if (auto begun = database.begin(); !begun) return begun;
  try {
    auto admitted = database.admit(name, token);
    if constexpr (std::same_as<std::invoke_result_t<Write&>, void>) {
      if (admitted) write();
    } else {
      if (admitted) admitted = write();
    }
    if (admitted) return database.commit();
    database.roll_back();
    return admitted;
  } catch (...) {
    database.roll_back();
    throw;
  }
}

}  // namespace detail
}  // namespace leasehold::inline v0_1::fence
