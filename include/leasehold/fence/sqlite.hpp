// Decides how a SQLite database refuses a stale holder's write: check and write are one transaction of the caller's connection.
//
// Compiled with the user's SQLite (3.24 or newer); nothing of it is inside the library itself. The statements: <leasehold/fence/sql.hpp>.
#pragma once

#include <leasehold/fence/sql.hpp>

#include <sqlite3.h>

#include <memory>

namespace leasehold::inline v0_1 {

namespace fence {
namespace detail {

class sqlite {
 public:
  explicit sqlite(sqlite3* connection) noexcept : connection_(connection) {}

  [[nodiscard]] result<void> run(char const* statement, std::string_view what) const {
    if (sqlite3_exec(connection_, statement, nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return fail(what);
  }
  /// IMMEDIATE: the lock for writing comes first, so that no reading in the transaction can turn out stale at its end.
  [[nodiscard]] result<void> begin() const {
    if (sqlite3_get_autocommit(connection_) == 0) {
      return failure(errc::bad_option, diagnostics("fenced_update began inside a transaction",
                                                   "call fence::admit in a transaction of your own"));
    }
    return run("BEGIN IMMEDIATE", "beginning");
  }
  [[nodiscard]] result<void> admit(std::string_view name, std::uint64_t token) const {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(connection_, sql_admit, -1, &raw, nullptr) != SQLITE_OK)
      return fail("the check of the token");
    std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> const statement(raw, sqlite3_finalize);
    sqlite3_bind_text(raw, 1, name.data(), static_cast<int>(name.size()), SQLITE_TRANSIENT);
    sqlite3_bind_int64(raw, 2, static_cast<sqlite3_int64>(token));
    if (sqlite3_step(raw) != SQLITE_DONE) return fail("the check of the token");
    if (sqlite3_changes(connection_) == 0) return stale(name, token);
    return {};
  }
  [[nodiscard]] result<void> commit() const {
    if (sqlite3_get_autocommit(connection_) != 0) {  // some errors of a statement end the transaction
      return failure(errc::unavailable,
                     diagnostics("the write failed, and its transaction was rolled back", "write again"));
    }
    auto done = run("COMMIT", "the commit");
    if (done) return done;
    int const code = sqlite3_errcode(connection_) & 0xFF;
    roll_back();
    if (code == SQLITE_BUSY || code == SQLITE_FULL || code == SQLITE_CONSTRAINT) return done;
    return failure(errc::outcome_unknown, done.get_failure().details);
  }
  void roll_back() const noexcept {
    if (sqlite3_get_autocommit(connection_) == 0) sqlite3_exec(connection_, "ROLLBACK", nullptr, nullptr, nullptr);
  }

 private:
  [[nodiscard]] failure fail(std::string_view what) const {
    std::string const said = sqlite3_errmsg(connection_);
    auto const message = "fenced update in SQLite: " + std::string(what) + " failed: " + said;
    switch (sqlite3_errcode(connection_) & 0xFF) {
      case SQLITE_READONLY:
      case SQLITE_PERM:
      case SQLITE_AUTH:
      case SQLITE_CANTOPEN:
        return {errc::auth, diagnostics(message, "give this user the right to write the file and its folder", said)};
      case SQLITE_ERROR:
        return {errc::misconfigured,
                diagnostics(message, "call fence::create once, and use SQLite 3.24 or newer", said)};
      case SQLITE_CORRUPT:
      case SQLITE_NOTADB:
      case SQLITE_MISUSE:
        return {errc::misconfigured, diagnostics(message, "check the file and the connection", said)};
      default:
        return {errc::unavailable, diagnostics(message, "try again; set sqlite3_busy_timeout", said)};
    }
  }

  sqlite3* connection_;
};

}  // namespace detail

/// Creates the fence's table where it is missing. Idempotent.
[[nodiscard]] inline result<void> create(sqlite3* connection) {
  return detail::sqlite(connection).run(sql_table, "creating the table");
}

/// The check alone, for a transaction of the caller's own, which must be rolled back on failure. REQUIRES: begun by BEGIN IMMEDIATE.
[[nodiscard]] inline result<void> admit(sqlite3* connection, std::string_view name, std::uint64_t token) {
  if (auto good = detail::check(name, token); !good) return good;
  return detail::sqlite(connection).admit(name, token);
}

}  // namespace fence

/// Calls `write`, which changes the database through `connection`, in one transaction with the check that no token above `token` has been
/// seen for `name`. `write` returns nothing or a `result<void>`; a failure, or what it throws, rolls back and is passed on.
///
/// Preconditions: `fence::create` was called once; `connection` is used by nobody else meanwhile and is in no transaction; `write` neither
/// begins nor ends one, and reports its own failed statements, because SQLite would commit the others.
/// Errors: errc::lost: a later holder has written, nothing ran. errc::outcome_unknown: the commit failed half-way. errc::unavailable
/// (busy, full), errc::auth, errc::misconfigured (no table), errc::bad_name, errc::bad_option: nothing was changed.
template <fence::write_function Write>
[[nodiscard]] result<void> fenced_update(sqlite3* connection, std::string_view name, std::uint64_t token,
                                         Write&& write) {
  if (auto good = fence::detail::check(name, token); !good) return good;
  return fence::detail::update(fence::detail::sqlite(connection), name, token, write);
}

}  // namespace leasehold::inline v0_1
