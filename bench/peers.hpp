// Decides what leasehold is compared with: the least the machine allows, and what people use today.
#pragma once

#include <pthread.h>

#include <cerrno>
#include <filesystem>

namespace bench {

/// The robust process-shared pthread mutex: the cheapest lock of the system that survives its holder's death. Shared with forked
/// children.
class robust_mutex {
 public:
  robust_mutex();
  robust_mutex(robust_mutex const&) = delete;
  robust_mutex& operator=(robust_mutex const&) = delete;
  ~robust_mutex();
  void lock() noexcept {
    if (pthread_mutex_lock(mutex_) == EOWNERDEAD) pthread_mutex_consistent(mutex_);
  }
  void unlock() noexcept { pthread_mutex_unlock(mutex_); }

 private:
  pthread_mutex_t* mutex_;  // in shared memory
};

/// flock(2) on a file that stays open.
class flock_file {
 public:
  explicit flock_file(std::filesystem::path const& path);
  flock_file(flock_file const&) = delete;
  flock_file& operator=(flock_file const&) = delete;
  ~flock_file();
  void lock();
  void unlock() noexcept;

 private:
  int fd_;
};

/// One read of the clock that deadlines are measured on.
void read_boottime() noexcept;

}  // namespace bench
