// Decides how a test gets a store file of its own, other processes that use it, and a thread that waits.
#pragma once

#include "core/blocking_driver.hpp"
#include "engines/local/backend.hpp"
#include "engines/local/local.hpp"
#include "spi/url.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <signal.h>
#include <sys/types.h>

namespace leasehold::test {

using namespace std::chrono_literals;
namespace local = leasehold::local;
namespace spi = leasehold::spi;

/// A directory that goes away with its owner.
class scratch_directory {
 public:
  scratch_directory();
  scratch_directory(scratch_directory const&) = delete;
  ~scratch_directory();
  [[nodiscard]] std::filesystem::path const& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

class real_time final : public spi::environment {
 public:
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  [[nodiscard]] double jitter() noexcept override { return 0.5; }
};

struct wish {
  std::optional<duration> ttl{};
  leasehold::mode mode = leasehold::mode::exclusive();
  duration lock_delay{};
  std::string_view identity{};
  std::string_view reason{};
};

/// One process's way to a store.
class opened_store {
 public:
  explicit opened_store(std::string const& path, std::string const& query = "");
  [[nodiscard]] std::unique_ptr<spi::claim> claim(std::string_view name, wish const& w = {}) const;
  [[nodiscard]] lock_info inspect(std::string_view name) const;
  [[nodiscard]] std::vector<lock_info> list(std::string_view prefix = {}) const;
  [[nodiscard]] std::error_code evict(std::string_view name, std::uint64_t token, bool now) const;
  [[nodiscard]] spi::backend& backend() const { return *backend_; }
  [[nodiscard]] local::session& session() const { return *session_; }

 private:
  std::shared_ptr<spi::backend> backend_;
  std::shared_ptr<local::session> session_;
};

/// Errors name themselves in a failing test.
[[nodiscard]] std::string said(result<spi::answer> const& answer);
/// The token if granted; else nothing. A failure fails the test.
[[nodiscard]] std::optional<std::uint64_t> try_once(spi::claim& c);
[[nodiscard]] std::optional<std::uint64_t> try_and_queue(spi::claim& c);
[[nodiscard]] std::error_code release(spi::claim& c, duration hold_off = {});
/// Waits in line on the calling thread; the token, or nothing when `wait` or `stop` ended it (the place is then given up).
[[nodiscard]] std::optional<std::uint64_t> acquire(spi::claim& c, duration wait = 20s, std::stop_token stop = {});
/// Runs a task that does not suspend for long.
template <class T>
T run(spi::task<T> t, std::stop_token stop = {}) {
  real_time env;
  core::blocking_driver drive(env, std::move(stop));
  return drive.run(std::move(t));
}

/// Waits until `condition`; fails the test after a while.
[[nodiscard]] bool eventually(std::function<bool()> const& condition, duration at_most = 20s);

#if defined(__SANITIZE_THREAD__)
#define LEASEHOLD_NEEDS_FORK() \
  GTEST_SKIP()                 \
      << "ThreadSanitizer cannot start threads in the child of a process that has some; run in the other builds"
#else
#define LEASEHOLD_NEEDS_FORK() static_cast<void>(0)
#endif

/// A forked process that runs `body` and exits; killed and reaped at the end.
class child_process {
 public:
  explicit child_process(std::function<void()> const& body);
  child_process(child_process const&) = delete;
  ~child_process();
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }
  /// Kills and reaps.
  void kill();
  /// Waits for its end; its exit code, or 128 + signal.
  int wait();
  [[nodiscard]] bool is_stopped() const;

 private:
  pid_t pid_;
};

/// Memory shared with children; zeros at first.
struct blackboard {
  std::atomic<int> step{0};
  std::atomic<std::int64_t> when{0};
  std::atomic<std::uint64_t> value{0};
  std::atomic<int> inside{0};
  std::atomic<int> worst{0};
  std::atomic<std::uint64_t> counter{0};
  std::array<std::atomic<std::uint64_t>, 64> cells{};
};
class shared_board {
 public:
  shared_board();
  shared_board(shared_board const&) = delete;
  ~shared_board();
  blackboard* operator->() const { return board_; }
  blackboard& operator*() const { return *board_; }

 private:
  blackboard* board_;
};

class local_store : public ::testing::Test {
 protected:
  [[nodiscard]] std::string path() const { return (directory_.path() / "store").string(); }
  [[nodiscard]] std::filesystem::path const& directory() const { return directory_.path(); }
  [[nodiscard]] opened_store open(std::string const& query = "") const { return opened_store(path(), query); }
  /// A process that holds `name` until it is killed. Returns when it does.
  [[nodiscard]] std::unique_ptr<child_process> holder(std::string name, wish w = {});

  shared_board board;

 private:
  scratch_directory directory_;
};

}  // namespace leasehold::test
