// Decides how a PostgreSQL database refuses a stale holder's write: check and write are one transaction of the caller's connection.
//
// Compiled with the user's libpq; nothing of it is inside the library itself. The statements: <leasehold/fence/sql.hpp>.
#pragma once

#include <leasehold/fence/sql.hpp>

#if __has_include(<libpq-fe.h>)
#include <libpq-fe.h>
#else
#include <postgresql/libpq-fe.h>
#endif

#include <array>
#include <memory>

namespace leasehold::inline v0_1 {

namespace fence {
namespace detail {

class postgres {
 public:
  explicit postgres(PGconn* connection) noexcept : connection_(connection) {}

  [[nodiscard]] result<void> run(char const* statement, std::string_view what) const {
    answer const got(PQexec(connection_, statement), PQclear);
    if (PQresultStatus(got.get()) == PGRES_COMMAND_OK) return {};
    return fail(got.get(), what);
  }
  [[nodiscard]] result<void> begin() const {
    auto const now = PQtransactionStatus(connection_);
    if (now != PQTRANS_IDLE && now != PQTRANS_UNKNOWN) {
      return failure(errc::bad_option, diagnostics("fenced_update began inside a transaction",
                                                   "call fence::admit in a transaction of your own"));
    }
    return run("BEGIN", "beginning");
  }
  /// INVARIANT: the row stays locked until the transaction ends. A rival waits for it, then compares with what was committed (read
  /// committed), or fails as a serialization failure (stricter levels).
  [[nodiscard]] result<void> admit(std::string_view name, std::uint64_t token) const {
    std::string const name_text(name);
    std::string const token_text = std::to_string(token);
    std::array<char const*, 2> const values{name_text.c_str(), token_text.c_str()};
    answer const got(PQexecParams(connection_, sql_admit, 2, nullptr, values.data(), nullptr, nullptr, 0), PQclear);
    if (PQresultStatus(got.get()) != PGRES_COMMAND_OK) return fail(got.get(), "the check of the token");
    if (std::string_view(PQcmdTuples(got.get())) == "0") return stale(name, token);
    return {};
  }
  [[nodiscard]] result<void> commit() const {
    answer const got(PQexec(connection_, "COMMIT"), PQclear);
    if (PQresultStatus(got.get()) == PGRES_COMMAND_OK) {
      if (std::string_view(PQcmdStatus(got.get())) == "COMMIT") return {};
      return failure(errc::unavailable,
                     diagnostics("a statement of the write failed, so its transaction was rolled back",
                                 "see the statement's own error; write again"));
    }
    auto failed = fail(got.get(), "the commit");
    if (PQstatus(connection_) == CONNECTION_BAD) failed.code = errc::outcome_unknown;
    return failed;
  }
  void roll_back() const noexcept {
    if (PQtransactionStatus(connection_) != PQTRANS_IDLE) answer(PQexec(connection_, "ROLLBACK"), PQclear);
  }

 private:
  using answer = std::unique_ptr<PGresult, decltype(&PQclear)>;

  [[nodiscard]] failure fail(PGresult const* got, std::string_view what) const {
    std::string const said = PQerrorMessage(connection_);
    auto const message = "fenced update in PostgreSQL: " + std::string(what) + " failed";
    char const* const field = PQresultErrorField(got, PG_DIAG_SQLSTATE);
    std::string_view const state = field == nullptr ? "" : field;
    if (state == "42P01") {
      return {errc::misconfigured,
              diagnostics(message + ": no table leasehold_fence", "call fence::create once", said)};
    }
    if (state == "25006")
      return {errc::misconfigured, diagnostics(message, "connect to the primary, read-write", said)};
    if (state == "42501")
      return {errc::auth, diagnostics(message, "grant SELECT, INSERT and UPDATE on leasehold_fence", said)};
    return {errc::unavailable, diagnostics(message, "try again; the server's words say why", said)};
  }

  PGconn* connection_;
};

}  // namespace detail

/// Creates the fence's table where it is missing. Idempotent; of several that create it at once all succeed.
[[nodiscard]] inline result<void> create(PGconn* connection) {
  detail::postgres const database(connection);
  if (database.run(sql_table, "creating the table")) return {};
  return database.run(sql_table,
                      "creating the table");  // IF NOT EXISTS may fail in a race with another; the table is there then
}

/// The check alone, within a transaction of the caller's own, which must be rolled back on failure. Outside of one it only announces.
[[nodiscard]] inline result<void> admit(PGconn* connection, std::string_view name, std::uint64_t token) {
  if (auto good = detail::check(name, token); !good) return good;
  return detail::postgres(connection).admit(name, token);
}

}  // namespace fence

/// Calls `write`, which changes the database through `connection`, in one transaction with the check that no token above `token` has been
/// seen for `name`. `write` returns nothing or a `result<void>`; a failure, or what it throws, rolls back and is passed on.
///
/// Preconditions: `fence::create` was called once; `connection` is used by nobody else meanwhile and is in no transaction; `write` neither
/// begins nor ends one. Any isolation level; under serializable a rival makes this fail with errc::unavailable (write again).
/// Errors: errc::lost: a later holder has written, nothing ran. errc::outcome_unknown: the connection broke during the commit.
/// errc::unavailable, errc::auth, errc::misconfigured (no table, a standby), errc::bad_name, errc::bad_option: nothing was changed.
template <fence::write_function Write>
[[nodiscard]] result<void> fenced_update(PGconn* connection, std::string_view name, std::uint64_t token,
                                         Write&& write) {
  if (auto good = fence::detail::check(name, token); !good) return good;
  return fence::detail::update(fence::detail::postgres(connection), name, token, write);
}

}  // namespace leasehold::inline v0_1
