// Decides that a SQLite file refuses a stale holder's write, in the step that writes.
#include "fence/frozen_holder.hpp"
#include "fence/log_fixture.hpp"

#include <leasehold/fence/sqlite.hpp>

#include <stdexcept>
#include <vector>

namespace leasehold::test {
namespace {

class database {
 public:
  explicit database(std::filesystem::path const& file) {
    sqlite3_open(file.c_str(), &handle_);
    sqlite3_busy_timeout(handle_, 20000);
  }
  database(database const&) = delete;
  database& operator=(database const&) = delete;
  ~database() { sqlite3_close(handle_); }
  [[nodiscard]] sqlite3* get() const noexcept { return handle_; }

  result<void> run(std::string const& statement) const {
    if (sqlite3_exec(handle_, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
    return failure(errc::bad_option, diagnostics(sqlite3_errmsg(handle_)));
  }
  [[nodiscard]] std::string ask(std::string const& query) const {
    std::string all;
    sqlite3_exec(
        handle_, query.c_str(),
        [](void* out, int columns, char** values, char**) {
          for (int i = 0; i < columns; ++i) *static_cast<std::string*>(out) += std::string(values[i]) + " ";
          return 0;
        },
        &all, nullptr);
    return all;
  }

 private:
  sqlite3* handle_ = nullptr;
};

class sqlite_fence : public testing::Test {
 protected:
  sqlite_fence() {
    EXPECT_TRUE(data.run("CREATE TABLE account (value text)"));
    EXPECT_TRUE(fence::create(data.get()));
  }
  [[nodiscard]] auto insert(std::string const& value) const {
    return [this, value] { return data.run("INSERT INTO account VALUES ('" + value + "')"); };
  }

  temp_directory folder;
  database data{folder.path() / "data.db"};
};

TEST_F(sqlite_fence, FENCE_7_a_frozen_holders_late_write_is_rejected) {
  expect_a_frozen_holder_is_fenced("local:" + (folder.path() / "locks").string(), [&]() -> fenced_write {
    auto const own = std::make_shared<database>(folder.path() / "data.db");
    return [own](std::uint64_t token, std::string const& value) {
      return fenced_update(own->get(), "account/1", token,
                           [&] { return own->run("INSERT INTO account VALUES ('" + value + "')"); });
    };
  });
  EXPECT_EQ(data.ask("SELECT * FROM account"), "second ");
}

TEST_F(sqlite_fence, FENCE_7_older_tokens_run_nothing_and_equal_ones_write_again) {
  EXPECT_TRUE(fenced_update(data.get(), "x", 5, insert("a")));
  EXPECT_TRUE(fenced_update(data.get(), "x", 5, insert("b")));
  EXPECT_EQ(fenced_update(data.get(), "x", 4, [] { FAIL(); }).error(), errc::lost);
  EXPECT_TRUE(fenced_update(data.get(), "y", 4, insert("c")));
  EXPECT_EQ(data.ask("SELECT * FROM account"), "a b c ");
  EXPECT_EQ(data.ask("SELECT token FROM leasehold_fence ORDER BY name"), "5 4 ");
}

TEST_F(sqlite_fence, FENCE_8_a_write_that_fails_or_throws_takes_its_token_back_with_it) {
  EXPECT_TRUE(fenced_update(data.get(), "x", 5, insert("a")));
  auto const failing = [&] {
    EXPECT_TRUE(data.run("INSERT INTO account VALUES ('lost')"));
    return data.run("INSERT INTO nowhere VALUES (1)");
  };
  EXPECT_EQ(fenced_update(data.get(), "x", 7, failing).error(), errc::bad_option);
  auto const throwing = [&] {
    EXPECT_TRUE(data.run("INSERT INTO account VALUES ('lost')"));
    throw std::runtime_error("no");
  };
  EXPECT_THROW(static_cast<void>(fenced_update(data.get(), "x", 8, throwing)), std::runtime_error);
  EXPECT_TRUE(fenced_update(data.get(), "x", 6, insert("b")));
  EXPECT_EQ(data.ask("SELECT * FROM account"), "a b ");
}

TEST_F(sqlite_fence, FENCE_9_what_is_missing_or_in_the_way_is_told) {
  database const bare(folder.path() / "bare.db");
  auto const no_table = fenced_update(bare.get(), "x", 1, [] { FAIL(); });
  EXPECT_EQ(no_table.error(), errc::misconfigured);
  EXPECT_NE(no_table.get_failure().details.hint().find("fence::create"), std::string_view::npos);

  ASSERT_TRUE(data.run("BEGIN IMMEDIATE"));
  EXPECT_EQ(fenced_update(data.get(), "x", 1, [] { FAIL(); }).error(), errc::bad_option);
  EXPECT_TRUE(fence::admit(data.get(), "x", 1));
  database const rival(folder.path() / "data.db");
  sqlite3_busy_timeout(rival.get(), 0);
  EXPECT_EQ(fenced_update(rival.get(), "x", 2, [] { FAIL(); }).error(), errc::unavailable);
  ASSERT_TRUE(data.run("COMMIT"));

  EXPECT_EQ(fenced_update(data.get(), "", 1, [] { FAIL(); }).error(), errc::bad_name);
  EXPECT_EQ(fenced_update(data.get(), "x", ~std::uint64_t{0}, [] { FAIL(); }).error(), errc::bad_option);
  EXPECT_EQ(data.ask("SELECT token FROM leasehold_fence"), "1 ");
}

TEST_F(sqlite_fence, FENCE_7_tokens_written_by_many_processes_never_decrease) {
  std::vector<pid_t> children;
  for (int child = 0; child < 4; ++child) {
    children.push_back(spawn([&] {
      database const own(folder.path() / "data.db");
      for (int round = 0; round < 25; ++round) {
        auto const token = static_cast<std::uint64_t>(round * 4 + child);
        auto const done = fenced_update(own.get(), "x", token, [&] {
          return own.run("INSERT INTO account VALUES (" + std::to_string(token) + ")");
        });
        if (!done && done.error() != errc::lost) return 1;
      }
      return 0;
    }));
  }
  for (auto const child : children) EXPECT_EQ(wait_for(child), 0);
  EXPECT_EQ(data.ask("SELECT count(*) FROM account a JOIN account b ON a.rowid < b.rowid WHERE CAST(a.value AS int) > "
                     "CAST(b.value AS int)"),
            "0 ");
  EXPECT_EQ(data.ask("SELECT value FROM account ORDER BY rowid DESC LIMIT 1"), "99 ");
}

}  // namespace
}  // namespace leasehold::test
