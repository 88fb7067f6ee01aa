// Decides that the demo's verdict can be trusted: it passes on awkward trees, and fails whenever something is wrong.
#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <csignal>
#include <cstddef>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;

struct outcome {
  int exit_code = -1;
  std::string output;
};

class demo_test : public ::testing::Test {
 protected:
  demo_test() {
    std::string pattern = (fs::temp_directory_path() / "leasehold-demo-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    base = fs::canonical(pattern);
    tree = base / "tree";
    scratch = base / "tmp";
    manifest = base / "manifest";
    fs::create_directories(tree);
    fs::create_directories(scratch);
  }
  ~demo_test() override {
    std::error_code ignored;
    fs::remove_all(base, ignored);
  }

  static void put(fs::path const& file, std::string const& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
    if (!fs::exists(file)) throw std::runtime_error("cannot create " + file.string());
  }

  void plain_files(int count) const {
    for (int i = 0; i < count; ++i) put(tree / ("plain/" + std::to_string(i)), "content " + std::to_string(i));
  }

  /// Returns how many files the demo should find.
  [[nodiscard]] std::size_t awkward_files() const {
    std::vector<std::string> const names{"with space", "new\nline",  "tab\t",     "quote'\"",  "back\\slash",
                                         "-",          "-rf",        "*",         "\xC3\xA4",  "\xFF\xFE",
                                         "\x1b[31m",   "sha256:abc", "trailing ", "a/.hidden", std::string(255, 'n')};
    std::string deep;
    for (int i = 0; i < 12; ++i) deep += std::string(60, static_cast<char>('a' + i)) + "/";
    for (auto const& name : names) put(tree / name, "content of " + name);
    put(tree / (deep + "end"), "deep");
    put(tree / "empty", "");
    put(tree / "large", std::string(3'000'000, 'x'));
    fs::create_symlink("large", tree / "link");
    fs::create_directory_symlink("..", tree / "loop");
    EXPECT_EQ(::mkfifo((tree / "fifo").c_str(), 0600), 0);
    return names.size() + 3;
  }

  [[nodiscard]] pid_t start(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), LEASEHOLD_DEMO);
    std::vector<char*> pointers;
    for (auto& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    auto const output = (base / "output").string();
    pid_t const child = ::fork();
    if (child == 0) {
      ::setenv("TMPDIR", scratch.c_str(), 1);
      int const fd = ::open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(fd, STDOUT_FILENO);
      ::dup2(fd, STDERR_FILENO);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    return child;
  }

  [[nodiscard]] std::string output() const { return content(base / "output"); }

  [[nodiscard]] outcome finish(pid_t child) const {
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(fs::is_empty(scratch)) << "left behind: " << *fs::directory_iterator(scratch);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), output()};
  }

  [[nodiscard]] outcome run(std::vector<std::string> arguments) const { return finish(start(std::move(arguments))); }

  /// A quick run that leaves its manifest behind.
  [[nodiscard]] outcome run_and_keep() const {
    return run({tree.string(), "--workers", "4", "--ttl", "0.4", "--watch", "1", "--manifest", manifest.string()});
  }
  [[nodiscard]] outcome verify() const { return run({tree.string(), "--verify", manifest.string()}); }

  static std::string content(fs::path const& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  void expect_rejected(std::string const& reason) const {
    auto const judged = verify();
    EXPECT_EQ(judged.exit_code, 1) << judged.output;
    EXPECT_NE(judged.output.find("FAIL:"), std::string::npos) << judged.output;
    EXPECT_NE(judged.output.find(reason), std::string::npos) << judged.output;
  }

  fs::path base;
  fs::path tree;
  fs::path scratch;
  fs::path manifest;
};

TEST_F(demo_test, CLOCK_1_a_worker_frozen_between_check_and_write_writes_a_void_record) {
  auto const files = awkward_files();
  plain_files(40);
  auto const done = run_and_keep();
  ASSERT_EQ(done.exit_code, 0) << done.output;
  EXPECT_NE(done.output.find("PASS:"), std::string::npos) << done.output;
  EXPECT_NE(done.output.find("is killed (kill -9) while it holds"), std::string::npos) << done.output;
  EXPECT_NE(done.output.find("wrote its late record"), std::string::npos) << done.output;
  EXPECT_EQ(done.output.find('\x1b'), std::string::npos) << "escape sequences outside a terminal";

  // The same facts, from the file alone. A payload with a digest is a result.
  auto const found = leasehold::fenced_log::open(manifest).value().read().value();
  std::map<std::string, int> results;
  std::set<std::string> overtaken;
  for (auto const& record : found.records) {
    if (record.payload.size() < 32) continue;
    if (record.is_void) overtaken.insert(record.name);
    if (!record.is_void) ++results[record.name];
  }
  EXPECT_EQ(found.damaged, 0u);
  EXPECT_EQ(results.size(), files + 40);
  for (auto const& [name, count] : results) EXPECT_EQ(count, 1) << name;
  ASSERT_EQ(overtaken.size(), 1u);
  EXPECT_EQ(results[*overtaken.begin()], 1);
}

TEST_F(demo_test, DEMO_1_a_corrupted_manifest_is_rejected) {
  plain_files(30);
  ASSERT_EQ(run_and_keep().exit_code, 0) << output();
  ASSERT_EQ(verify().exit_code, 0) << output();
  auto const good = content(manifest);
  auto damaged = good;
  damaged[good.size() / 2] = static_cast<char>(damaged[good.size() / 2] ^ 0x10);
  put(manifest, damaged);
  expect_rejected("damaged records");
  put(manifest, good.substr(0, good.size() / 3));
  expect_rejected("lost");
  put(manifest, "not " + good);
  EXPECT_EQ(verify().exit_code, 1);
  EXPECT_NE(output().find("is not a fenced log"), std::string::npos) << output();
}

TEST_F(demo_test, DEMO_2_files_lost_repeated_changed_or_strange_are_rejected) {
  plain_files(30);
  ASSERT_EQ(run_and_keep().exit_code, 0) << output();
  auto const good = content(manifest);
  put(tree / "plain/3", "changed");
  expect_rejected("for instance plain/3");
  put(tree / "plain/3", "content 3");
  ASSERT_EQ(verify().exit_code, 0) << output();

  put(tree / "plain/new", "came later");
  expect_rejected("lost");
  fs::remove(tree / "plain/new");
  fs::rename(tree / "plain/7", base / "aside");
  expect_rejected("not in the tree");
  fs::rename(base / "aside", tree / "plain/7");

  auto log = leasehold::fenced_log::open(manifest).value();
  for (auto const& record : log.read().value().records) {
    if (record.name != "plain/5" || record.is_void || record.payload.size() < 32) continue;
    log.append(record.name, record.token, record.payload).value();
  }
  expect_rejected("recorded twice");
  put(manifest, good);
  EXPECT_EQ(verify().exit_code, 0) << output();
}

TEST_F(demo_test, DEMO_3_locks_that_do_not_exclude_make_it_fail) {
  plain_files(40);
  // Every process has a memory engine of its own, so nobody excludes anybody.
  auto const done = run({tree.string(), "--workers", "4", "--ttl", "0.4", "--watch", "1", "--store", "mem:"});
  EXPECT_EQ(done.exit_code, 1) << done.output;
  EXPECT_NE(done.output.find("FAIL:"), std::string::npos) << done.output;
}

TEST_F(demo_test, DEMO_4_bad_input_is_told_and_nothing_starts) {
  auto const expect_refused = [&](std::vector<std::string> arguments, int code, std::string const& text) {
    auto const done = run(std::move(arguments));
    EXPECT_EQ(done.exit_code, code) << done.output;
    EXPECT_NE(done.output.find(text), std::string::npos) << done.output;
  };
  expect_refused({(base / "missing").string()}, 1, "missing: No such file");
  expect_refused({(base / "output").string()}, 1, "is not a directory");
  expect_refused({tree.string()}, 1, "too few files");
  expect_refused({"--workers", "2"}, 64, "--workers");
  expect_refused({"--ttl", "-1"}, 64, "--ttl");
  expect_refused({"--nonsense"}, 64, "--nonsense");
  plain_files(40);
  expect_refused({tree.string(), "--store", "nonsense:"}, 1, "nonsense");
  put(manifest, "precious");
  expect_refused({tree.string(), "--manifest", manifest.string()}, 1, "exists already");
  EXPECT_EQ(content(manifest), "precious");
  expect_refused({tree.string(), "--verify", (base / "absent").string()}, 1, "does not exist");
}

TEST_F(demo_test, DEMO_5_help_names_every_option) {
  auto const done = run({"--help"});
  EXPECT_EQ(done.exit_code, 0);
  for (char const* option : {"DIRECTORY", "--workers", "--ttl", "--store", "--manifest", "--verify", "--max-files"}) {
    EXPECT_NE(done.output.find(option), std::string::npos) << option;
  }
  EXPECT_EQ(done.output.find("--worker "), std::string::npos) << "hidden options are not for users";
}

TEST_F(demo_test, DEMO_6_an_interrupted_run_leaves_no_process_and_no_file) {
  plain_files(40);
  pid_t const child = start({tree.string(), "--workers", "4", "--watch", "1000"});
  while (output().find("is frozen") == std::string::npos) {
    ASSERT_EQ(::waitpid(child, nullptr, WNOHANG), 0) << output();
    ::usleep(1000);
  }
  std::string workers = content("/proc/" + std::to_string(child) + "/task/" + std::to_string(child) + "/children");
  EXPECT_FALSE(workers.empty());
  ::kill(child, SIGINT);
  EXPECT_EQ(finish(child).exit_code, 128 + SIGINT) << output();
  std::istringstream pids(workers);
  for (std::string pid; pids >> pid;) EXPECT_FALSE(fs::exists("/proc/" + pid)) << "worker " << pid << " still runs";
}

}  // namespace
