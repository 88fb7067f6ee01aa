// Decides how benchmarks use several processes: forked children that cannot outlive them, shared memory, pinning,
// scratch.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <new>
#include <string>
#include <system_error>
#include <vector>

namespace bench {

[[noreturn]] void fail_with_errno(char const* what);

/// A forked process that runs `body` and exits; killed when its parent ends, or after `seconds_max`.
/// The benchmark program itself opens no store and starts no thread: only children do, so forking is always safe.
class child {
 public:
  explicit child(std::function<void()> const& body, unsigned seconds_max = 60);
  child(child const&) = delete;
  child& operator=(child const&) = delete;
  /// Kills and reaps what was not joined.
  ~child();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  /// Waits for the end; throws unless `body` returned normally.
  void join();
  /// SIGKILL, and waits for the end.
  void kill_and_reap() noexcept;

 private:
  pid_t pid_ = -1;
};

/// Runs `body` in a child and returns what it returned; what it threw comes back as std::runtime_error.
std::vector<double> in_child(std::function<std::vector<double>()> const& body, unsigned seconds_max = 60);

/// A `T` that forked children share with their parent.
template <class T>
class shared_memory {
 public:
  shared_memory() {
    auto* const where = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (where == MAP_FAILED) fail_with_errno("mmap");
    value_ = new (where) T;
  }
  shared_memory(shared_memory const&) = delete;
  shared_memory& operator=(shared_memory const&) = delete;
  ~shared_memory() {
    value_->~T();
    munmap(value_, sizeof(T));
  }
  T* operator->() const noexcept { return value_; }
  T& operator*() const noexcept { return *value_; }

 private:
  T* value_;
};

/// A directory of our own (mode 0700), removed with everything in it. Made by the program, not by a child that may be killed.
class scratch {
 public:
  explicit scratch(std::filesystem::path const& base = usual_base());
  scratch(scratch const&) = delete;
  scratch& operator=(scratch const&) = delete;
  ~scratch();

  [[nodiscard]] std::filesystem::path const& path() const noexcept { return path_; }
  /// URL of a fresh local store in here.
  [[nodiscard]] std::string store_url(std::string const& file = "store") const {
    return "local:" + (path_ / file).string();
  }
  /// $TMPDIR, else a directory that lies on an ordinary file system.
  static std::filesystem::path usual_base();

 private:
  std::filesystem::path path_;
};

[[nodiscard]] bool is_tmpfs(std::filesystem::path const& path);

/// Binds the calling thread, and threads and processes it creates later, to the n-th CPU it may use (modulo their
/// number).
void pin(unsigned n);

/// Blocks the caller, in short sleeps, until `done()`; for use outside of what is timed.
void wait_until(std::function<bool()> const& done);
/// Requires that the process is about to block in its first thread: returns once it sleeps.
void wait_until_asleep(pid_t pid);

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept;
void futex_wake_one(std::atomic<std::uint32_t>& word) noexcept;

}  // namespace bench
