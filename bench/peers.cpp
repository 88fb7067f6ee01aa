// Decides the system calls behind peers.hpp.
#include "peers.hpp"

#include "processes.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

namespace bench {

robust_mutex::robust_mutex() {
  auto* const where = mmap(nullptr, sizeof *mutex_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (where == MAP_FAILED) fail_with_errno("mmap");
  mutex_ = static_cast<pthread_mutex_t*>(where);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(mutex_, &attributes);
  pthread_mutexattr_destroy(&attributes);
}

robust_mutex::~robust_mutex() { munmap(mutex_, sizeof *mutex_); }

flock_file::flock_file(std::filesystem::path const& path)
    : fd_(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  if (fd_ < 0) fail_with_errno("open");
}

flock_file::~flock_file() { close(fd_); }

void flock_file::lock() {
  if (flock(fd_, LOCK_EX) != 0) fail_with_errno("flock");
}

void flock_file::unlock() noexcept { flock(fd_, LOCK_UN); }

void read_boottime() noexcept {
  timespec now;
  clock_gettime(CLOCK_BOOTTIME, &now);
  asm volatile("" : : "m"(now));
}

}  // namespace bench
