// Decides that a PostgreSQL database refuses a stale holder's write, in the step that writes.
#include "fence/frozen_holder.hpp"
#include "fence/log_fixture.hpp"
#include "support/postgres_server.hpp"

#include <leasehold/fence/postgres.hpp>

#include <memory>
#include <stdexcept>
#include <vector>

namespace leasehold::test {
namespace {

class database {
 public:
  explicit database(std::string const& url) : handle_(PQconnectdb(url.c_str())) {
    if (PQstatus(handle_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(handle_));
    run("SET client_min_messages = error");
  }
  database(database const&) = delete;
  database& operator=(database const&) = delete;
  ~database() { PQfinish(handle_); }
  [[nodiscard]] PGconn* get() const noexcept { return handle_; }

  bool run(std::string const& statement) const { return ask(statement) != "failed"; }
  /// Rows of one text, each followed by a blank.
  [[nodiscard]] std::string ask(std::string const& query) const {
    std::unique_ptr<PGresult, decltype(&PQclear)> const got(PQexec(handle_, query.c_str()), PQclear);
    auto const status = PQresultStatus(got.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) return "failed";
    std::string all;
    for (int row = 0; row < PQntuples(got.get()); ++row) all += std::string(PQgetvalue(got.get(), row, 0)) + " ";
    return all;
  }

 private:
  PGconn* handle_;
};

std::string insert(std::string const& value) { return "INSERT INTO account (value) VALUES ('" + value + "')"; }

class postgres_fence : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (postgres_server::is_installed()) server = std::make_unique<postgres_server>();
  }
  static void TearDownTestSuite() { server.reset(); }
  void SetUp() override {
    if (!server) GTEST_SKIP() << "postgres: no server is installed here";
    data = std::make_unique<database>(server->url());
    ASSERT_TRUE(data->run("DROP TABLE IF EXISTS account, leasehold_fence"));
    ASSERT_TRUE(data->run("CREATE TABLE account (place serial PRIMARY KEY, value text)"));
    ASSERT_TRUE(fence::create(data->get()));
  }

  static inline std::unique_ptr<postgres_server> server;
  std::unique_ptr<database> data;
};

TEST_F(postgres_fence, FENCE_7_a_frozen_holders_late_write_is_rejected) {
  temp_directory const folder;
  expect_a_frozen_holder_is_fenced("local:" + (folder.path() / "locks").string(), [&]() -> fenced_write {
    auto const own = std::make_shared<database>(server->url());
    return [own](std::uint64_t token, std::string const& value) {
      return fenced_update(own->get(), "account/1", token, [&] { own->run(insert(value)); });
    };
  });
  EXPECT_EQ(data->ask("SELECT value FROM account"), "second ");
}

TEST_F(postgres_fence, FENCE_7_older_tokens_run_nothing_and_equal_ones_write_again) {
  EXPECT_TRUE(fenced_update(data->get(), "x", 5, [&] { data->run(insert("a")); }));
  EXPECT_TRUE(fenced_update(data->get(), "x", 5, [&] { data->run(insert("b")); }));
  EXPECT_EQ(fenced_update(data->get(), "x", 4, [] { FAIL(); }).error(), errc::lost);
  EXPECT_TRUE(fenced_update(data->get(), "y", 4, [&] { data->run(insert("c")); }));
  EXPECT_EQ(data->ask("SELECT value FROM account ORDER BY place"), "a b c ");
}

TEST_F(postgres_fence, FENCE_7_a_stale_write_waits_for_the_newer_one_in_progress_and_is_then_refused) {
  ASSERT_TRUE(data->run("BEGIN"));
  ASSERT_TRUE(fence::admit(data->get(), "x", 9));
  auto const stale = spawn([] {
    database const own(server->url());
    return fenced_update(own.get(), "x", 8, [] {}).error() == errc::lost ? 0 : 1;
  });
  while (data->ask("SELECT 1 FROM pg_locks WHERE NOT granted").empty()) ::usleep(1000);
  ASSERT_TRUE(data->run("COMMIT"));
  EXPECT_EQ(wait_for(stale), 0);
}

TEST_F(postgres_fence, FENCE_8_a_write_that_fails_or_throws_takes_its_token_back_with_it) {
  EXPECT_TRUE(fenced_update(data->get(), "x", 5, [&] { data->run(insert("a")); }));
  auto const failing = [&] {
    data->run(insert("lost"));
    data->run("INSERT INTO nowhere VALUES (1)");  // and says nothing of it
  };
  EXPECT_EQ(fenced_update(data->get(), "x", 7, failing).error(), errc::unavailable);
  auto const throwing = [&] {
    data->run(insert("lost"));
    throw std::runtime_error("no");
  };
  EXPECT_THROW(static_cast<void>(fenced_update(data->get(), "x", 8, throwing)), std::runtime_error);
  EXPECT_TRUE(fenced_update(data->get(), "x", 6, [&] { data->run(insert("b")); }));
  EXPECT_EQ(data->ask("SELECT value FROM account ORDER BY place"), "a b ");
}

TEST_F(postgres_fence, FENCE_8_a_connection_that_ends_before_the_commit_is_told_as_unknown) {
  database const other(server->url());
  auto const cut = [&] {
    data->run(insert("lost"));
    EXPECT_TRUE(other.run("SELECT pg_terminate_backend(" + std::to_string(PQbackendPID(data->get())) + ")"));
  };
  EXPECT_EQ(fenced_update(data->get(), "x", 5, cut).error(), errc::outcome_unknown);
  EXPECT_EQ(fenced_update(data->get(), "x", 5, [] { FAIL(); }).error(), errc::unavailable);
  EXPECT_EQ(other.ask("SELECT value FROM account"), "");
}

TEST_F(postgres_fence, FENCE_9_what_is_missing_or_in_the_way_is_told) {
  ASSERT_TRUE(data->run("BEGIN"));
  EXPECT_EQ(fenced_update(data->get(), "x", 1, [] { FAIL(); }).error(), errc::bad_option);
  ASSERT_TRUE(data->run("COMMIT"));
  EXPECT_EQ(fenced_update(data->get(), "", 1, [] { FAIL(); }).error(), errc::bad_name);
  EXPECT_EQ(fenced_update(data->get(), "x", ~std::uint64_t{0}, [] { FAIL(); }).error(), errc::bad_option);

  ASSERT_TRUE(data->run("SET default_transaction_read_only = on"));
  EXPECT_EQ(fenced_update(data->get(), "x", 1, [] { FAIL(); }).error(), errc::misconfigured);
  ASSERT_TRUE(data->run("SET default_transaction_read_only = off"));
  ASSERT_TRUE(data->run("DROP TABLE leasehold_fence"));
  auto const no_table = fenced_update(data->get(), "x", 1, [] { FAIL(); });
  EXPECT_EQ(no_table.error(), errc::misconfigured);
  EXPECT_NE(no_table.get_failure().details.hint().find("fence::create"), std::string_view::npos);
}

TEST_F(postgres_fence, FENCE_9_of_several_that_create_the_table_at_once_all_succeed) {
  ASSERT_TRUE(data->run("DROP TABLE leasehold_fence"));
  std::vector<pid_t> children;
  for (int child = 0; child < 8; ++child) {
    children.push_back(spawn([] { return fence::create(database(server->url()).get()) ? 0 : 1; }));
  }
  for (auto const child : children) EXPECT_EQ(wait_for(child), 0);
}

TEST_F(postgres_fence, FENCE_7_tokens_written_by_many_processes_never_decrease) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    children.push_back(spawn([child] {
      database const own(server->url());
      for (int round = 0; round < 25; ++round) {
        auto const token = static_cast<std::uint64_t>(round * 4 + child);
        auto const done = fenced_update(own.get(), "x", token, [&] { own.run(insert(std::to_string(token))); });
        if (!done && done.error() != errc::lost) return 1;
      }
      return 0;
    }));
  }
  for (auto const child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(
      data->ask("SELECT count(*) FROM account a JOIN account b ON a.place < b.place WHERE a.value::int > b.value::int"),
      "0 ");
  EXPECT_EQ(data->ask("SELECT value FROM account ORDER BY place DESC LIMIT 1"), "99 ");
}

}  // namespace
}  // namespace leasehold::test
