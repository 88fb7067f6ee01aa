// What the five uses know of a database: SQL with values, and writes that carry a token. A path is SQLite, postgres://… is PostgreSQL.
#pragma once

#include <leasehold/fence/sqlite.hpp>
#include <leasehold/leasehold.hpp>
#ifdef LEASEHOLD_WITH_LIBPQ
#include <leasehold/fence/postgres.hpp>
#endif

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace uses {

class connection {
 public:
  using values = std::vector<std::string>;
  virtual ~connection() = default;
  /// The first column of every row. Values stand for $1, $2, …
  virtual values query(std::string const& sql, values const& with) = 0;
  virtual leasehold::result<void> fenced(std::string const& name, std::uint64_t token,
                                         std::function<void()> const& write) = 0;
};

class sqlite_connection : public connection {
 public:
  explicit sqlite_connection(std::string const& path) {
    if (sqlite3_open(path.c_str(), &handle_) != SQLITE_OK) throw std::runtime_error("cannot open " + path);
    sqlite3_busy_timeout(handle_, 30000);
    query("PRAGMA synchronous = OFF", {});  // an example need not outlive the power
  }
  sqlite_connection(sqlite_connection const&) = delete;
  sqlite_connection& operator=(sqlite_connection const&) = delete;
  ~sqlite_connection() override { sqlite3_close(handle_); }

  values query(std::string const& sql, values const& with) override {
    sqlite3_stmt* raw = nullptr;
    if (sqlite3_prepare_v2(handle_, sql.c_str(), -1, &raw, nullptr) != SQLITE_OK)
      throw std::runtime_error(sqlite3_errmsg(handle_));
    std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)> const statement(raw, sqlite3_finalize);
    for (std::size_t i = 0; i < with.size(); ++i) {
      int const place = sqlite3_bind_parameter_index(raw, ("$" + std::to_string(i + 1)).c_str());
      sqlite3_bind_text(raw, place, with[i].c_str(), -1, SQLITE_TRANSIENT);
    }
    values all;
    int step = 0;
    while ((step = sqlite3_step(raw)) == SQLITE_ROW) {
      auto const* text = reinterpret_cast<char const*>(sqlite3_column_text(raw, 0));
      all.emplace_back(text == nullptr ? "" : text);
    }
    if (step != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(handle_));
    return all;
  }
  leasehold::result<void> fenced(std::string const& name, std::uint64_t token,
                                 std::function<void()> const& write) override {
    return leasehold::fenced_update(handle_, name, token, write);
  }
  void prepare() const { leasehold::fence::create(handle_).value(); }

 private:
  sqlite3* handle_ = nullptr;
};

#ifdef LEASEHOLD_WITH_LIBPQ
class postgres_connection : public connection {
 public:
  explicit postgres_connection(std::string const& url) : handle_(PQconnectdb(url.c_str()), PQfinish) {
    if (PQstatus(handle_.get()) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(handle_.get()));
    query("SET client_min_messages = error", {});
  }
  values query(std::string const& sql, values const& with) override {
    std::vector<char const*> texts;
    for (auto const& value : with) texts.push_back(value.c_str());
    std::unique_ptr<PGresult, decltype(&PQclear)> const got(
        PQexecParams(handle_.get(), sql.c_str(), static_cast<int>(with.size()), nullptr, texts.data(), nullptr, nullptr,
                     0),
        PQclear);
    auto const status = PQresultStatus(got.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      throw std::runtime_error(PQerrorMessage(handle_.get()));
    values all;
    for (int row = 0; row < PQntuples(got.get()); ++row) all.emplace_back(PQgetvalue(got.get(), row, 0));
    return all;
  }
  leasehold::result<void> fenced(std::string const& name, std::uint64_t token,
                                 std::function<void()> const& write) override {
    return leasehold::fenced_update(handle_.get(), name, token, write);
  }
  void prepare() const { leasehold::fence::create(handle_.get()).value(); }

 private:
  std::unique_ptr<PGconn, decltype(&PQfinish)> handle_;
};
#endif

/// One connection. Not for several threads, and not across fork: each process opens its own.
class database {
 public:
  explicit database(std::string const& where) {
    if (!where.starts_with("postgres")) {
      connection_ = prepared(std::make_unique<sqlite_connection>(where));
      return;
    }
#ifdef LEASEHOLD_WITH_LIBPQ
    connection_ = prepared(std::make_unique<postgres_connection>(where));
#else
    throw std::runtime_error("built without libpq: give the path of a SQLite file");
#endif
  }
  std::vector<std::string> query(std::string const& sql, connection::values const& with = {}) {
    return connection_->query(sql, with);
  }
  /// The first column of the first row, which must be there.
  long long number(std::string const& sql, connection::values const& with = {}) {
    return std::stoll(query(sql, with).at(0));
  }
  /// `write` in one transaction with the check of the token; throws leasehold::lease_lost when a later holder has written.
  void fenced(std::string const& name, std::uint64_t token, std::function<void()> const& write) {
    connection_->fenced(name, token, write).value();
  }
  /// The same without a token: whoever comes last wins.
  void transaction(std::function<void()> const& write) {
    query("BEGIN");
    write();
    query("COMMIT");
  }
  /// Begins anew, whatever an earlier run has left.
  void create_table(std::string const& name, std::string const& columns) {
    query("DROP TABLE IF EXISTS " + name);
    query("CREATE TABLE " + name + " (" + columns + ")");
  }

 private:
  template <class Connection>
  static std::unique_ptr<connection> prepared(std::unique_ptr<Connection> fresh) {
    fresh->prepare();
    return fresh;
  }
  std::unique_ptr<connection> connection_;
};

}  // namespace uses
