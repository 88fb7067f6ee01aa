// What the five uses share besides the database: their arguments, a folder that goes away, and processes that begin together.
#pragma once

#include <leasehold/leasehold.hpp>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <functional>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

namespace uses {

/// NAME [--store URL] [--database FILE|postgres://…]… [--without-lock] [--size N]
struct arguments {
  std::string store = "local:";
  std::vector<std::string> databases;  ///< default: SQLite files in a folder that is removed at the end
  bool lock = true;
  int size;
  std::filesystem::path folder;

  arguments(int argc, char** argv, int default_size, std::size_t databases_wanted = 1) : size(default_size) {
    for (int i = 1; i < argc; ++i) {
      std::string_view const flag = argv[i];
      if (flag == "--without-lock") {
        lock = false;
      } else if (i + 1 < argc && flag == "--store") {
        store = argv[++i];
      } else if (i + 1 < argc && flag == "--database") {
        databases.emplace_back(argv[++i]);
      } else if (i + 1 < argc && flag == "--size") {
        size = std::atoi(argv[++i]);
      } else {
        std::cerr << "usage: " << argv[0]
                  << " [--store URL] [--database FILE|postgres://...] [--without-lock] [--size N]\n";
        std::exit(64);
      }
    }
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-example-XXXXXX";
    if (::mkdtemp(pattern.data()) != nullptr) folder = pattern;
    while (databases.size() < databases_wanted)
      databases.push_back(folder / (std::to_string(databases.size()) + ".db"));
  }
  arguments(arguments const&) = delete;
  arguments& operator=(arguments const&) = delete;
  ~arguments() {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }
};

/// Processes that wait at a gate until all are there. Those that still run at the end are killed. A crew that is made before another one starts
/// would be kept from its gate by that one: make it later.
class crew {
 public:
  crew() {
    if (::pipe(gate_) != 0) throw std::system_error(errno, std::generic_category(), "pipe");
  }
  crew(crew const&) = delete;
  crew& operator=(crew const&) = delete;
  ~crew() {
    for (pid_t const member : members_) ::kill(member, SIGKILL);
    for (pid_t const member : members_) ::waitpid(member, nullptr, 0);
    ::close(gate_[0]);
  }
  /// Before anything is opened here: a child's copy of a store is void.
  pid_t start(std::function<void()> const& work) {
    pid_t const child = ::fork();
    if (child == 0) run(work);
    members_.push_back(child);
    return child;
  }
  void open_gate() { ::close(gate_[1]); }

  /// Waits until a member stops itself; false if it ends instead.
  static bool wait_until_stopped(pid_t member) {
    int status = 0;
    return ::waitpid(member, &status, WUNTRACED) == member && WIFSTOPPED(status);
  }
  /// True if it was stopped.
  static bool thaw(pid_t member) {
    siginfo_t found{};
    ::waitid(P_PID, static_cast<id_t>(member), &found, WSTOPPED | WNOHANG | WNOWAIT);
    ::kill(member, SIGCONT);
    return found.si_pid == member;
  }
  /// Its exit code, or 128 + the signal that ended it.
  int wait(pid_t member) {
    int status = 0;
    ::waitpid(member, &status, 0);
    std::erase(members_, member);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  /// How many of those that are left fail.
  int wait_for_all() {
    int failed = 0;
    while (!members_.empty()) failed += wait(members_.front()) == 0 ? 0 : 1;
    return failed;
  }

 private:
  [[noreturn]] void run(std::function<void()> const& work) const {
    ::close(gate_[1]);
    char nothing = 0;
    [[maybe_unused]] auto const opened = ::read(gate_[0], &nothing, 1);  // ends when the gate is opened
    try {
      work();
    } catch (std::exception const& failure) {
      std::cerr << "process " << ::getpid() << ": " << failure.what() << '\n';
      ::_exit(2);
    }
    ::_exit(0);
  }

  int gate_[2]{};
  std::vector<pid_t> members_;
};

}  // namespace uses
