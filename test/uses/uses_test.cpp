// Decides that each of the five uses keeps its promise on every store, and breaks it without the lock.
#include "support/postgres_server.hpp"
#include "support/redis_server.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include <sys/wait.h>
#include <unistd.h>

namespace leasehold::test {
namespace {

struct ended {
  int code;
  std::string output;
};

ended run(std::string const& use, std::string const& arguments) {
  auto const command = "timeout -k 5 120 " USES_FOLDER "/" + use + " " + arguments + " 2>&1";
  ended out{-1, command + "\n"};
  auto* const from = ::popen(command.c_str(), "re");
  if (from == nullptr) return out;
  std::array<char, 4096> text{};
  while (std::fgets(text.data(), text.size(), from) != nullptr) out.output += text.data();
  int const status = ::pclose(from);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return out;
}

/// By its promise, not by an error of one of its processes.
void expect_broken(ended const& got) {
  EXPECT_EQ(got.code, 1) << got.output;
  EXPECT_NE(got.output.find("BROKEN"), std::string::npos) << got.output;
  EXPECT_EQ(got.output.find("process "), std::string::npos) << got.output;
}

/// The stores of this machine, by name; those of one test are its own.
class uses_on : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "redis") {
      if (!redis_server::is_installed()) GTEST_SKIP() << "redis: no server is installed here";
      server = std::make_unique<redis_server>();
      initialize(server->url());
      store = server->url();
      return;
    }
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-uses-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
    store = "local:" + pattern + "/locks";
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  }
  void expect_good(std::string const& use, std::string const& size) const {
    auto const got = run(use, "--store " + store + " --size " + size);
    EXPECT_EQ(got.code, 0) << got.output;
    EXPECT_EQ(got.output.find("BROKEN"), std::string::npos) << got.output;
  }
  void expect_broken_without_lock(std::string const& use, std::string const& size) const {
    expect_broken(run(use, "--store " + store + " --without-lock --size " + size));
  }

  std::unique_ptr<redis_server> server;
  std::filesystem::path folder;
  std::string store;
};

TEST_P(uses_on, USE_1_many_processes_change_one_record_and_a_frozen_one_is_fenced_off) {
  expect_good("record", "20");
  expect_broken_without_lock("record", "20");
}

TEST_P(uses_on, USE_2_every_task_of_a_queue_is_done_once_although_a_worker_is_killed) {
  expect_good("work_queue", "30");
  expect_broken_without_lock("work_queue", "30");
}

TEST_P(uses_on, USE_3_terms_of_leaders_never_go_back_although_one_is_killed_and_one_frozen) {
  expect_good("leader", "10");
  expect_broken_without_lock("leader", "10");
}

TEST_P(uses_on, USE_4_no_seat_is_sold_twice_and_the_gateway_is_spared) {
  expect_good("booking", "200");
  expect_broken_without_lock("booking", "200");
}

TEST_P(uses_on, USE_5_a_transfer_over_two_databases_is_finished_by_the_next_holder) {
  expect_good("transfer", "40");
  expect_broken_without_lock("transfer", "40");
}

TEST(uses, USE_6_what_is_no_argument_is_refused) {
  auto const got = run("record", "--unknown");
  EXPECT_EQ(got.code, 64);
  EXPECT_NE(got.output.find("usage:"), std::string::npos) << got.output;
  auto const nowhere = run("record", "--store nix:");
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_NE(nowhere.output.find("nix"), std::string::npos) << nowhere.output;
}

INSTANTIATE_TEST_SUITE_P(store, uses_on, testing::Values("local", "redis"),
                         [](auto const& which) { return which.param; });

#ifdef LEASEHOLD_WITH_LIBPQ
class uses_of_postgres : public testing::Test {
 protected:
  void SetUp() override {
    if (!postgres_server::is_installed()) GTEST_SKIP() << "postgres: no server is installed here";
    server = std::make_unique<postgres_server>();
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-uses-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder = pattern;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder.empty()) std::filesystem::remove_all(folder, ignored);
  }
  void expect_good(std::string const& use, std::string const& arguments) const {
    auto const store = " --store local:" + (folder / "locks").string() + " ";
    auto const good = run(use, arguments + store);
    EXPECT_EQ(good.code, 0) << good.output;
    expect_broken(run(use, arguments + store + "--without-lock"));
  }
  [[nodiscard]] std::string database(std::string_view name = "postgres") const {
    return " --database '" + server->url(name) + "'";
  }

  std::unique_ptr<postgres_server> server;
  std::filesystem::path folder;
};

TEST_F(uses_of_postgres, USE_1_many_processes_change_one_record_and_a_frozen_one_is_fenced_off) {
  expect_good("record", "--size 20" + database());
}

TEST_F(uses_of_postgres, USE_2_every_task_of_a_queue_is_done_once_although_a_worker_is_killed) {
  expect_good("work_queue", "--size 30" + database());
}

TEST_F(uses_of_postgres, USE_3_terms_of_leaders_never_go_back_although_one_is_killed_and_one_frozen) {
  expect_good("leader", "--size 10" + database());
}

TEST_F(uses_of_postgres, USE_4_no_seat_is_sold_twice_and_the_gateway_is_spared) {
  expect_good("booking", "--size 200" + database());
}

TEST_F(uses_of_postgres, USE_5_a_transfer_over_two_databases_is_finished_by_the_next_holder) {
  expect_good("transfer", "--size 40" + database() + database("template1"));
}
#endif

}  // namespace
}  // namespace leasehold::test
