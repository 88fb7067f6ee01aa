// Decides whether a process whose beacon went out has executed its last instruction.
//
// FUTEX_OWNER_DIED says that the beacon's thread has begun to exit. Its siblings were sent SIGKILL before that, but one may still
// run for microseconds on another CPU or finish a system call; were its lock given away now, two would act at once. A thread
// that has SIGKILL pending has not noticed yet; one that has not, is past its last instruction of user code (or is the sole
// survivor inside execve, and its old image is gone). The kernel marks a whole group at one stroke, before any of it dies. Only
// the thread's own set counts: the group's keeps the bit even in a zombie (tried).
#include "engines/local/session.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>

namespace leasehold::inline v0_1::local {

namespace {

/// The fields of a `stat` file that matter here, by their numbers in proc(5).
struct stat_fields {
  char state = '?';      // 3
  u64 start_time = 0;    // 22
  u64 pending = 0;       // 31
};

std::optional<stat_fields> read_stat(int directory, char const* path) noexcept {
  int const fd = ::openat(directory, path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::array<char, 1024> text{};
  auto const n = ::read(fd, text.data(), text.size() - 1);
  ::close(fd);
  if (n <= 0) return std::nullopt;
  // The command name may contain anything; it ends at the last parenthesis.
  char const* at = std::strrchr(text.data(), ')');
  if (at == nullptr || at[1] == '\0') return std::nullopt;
  stat_fields fields;
  fields.state = at[2];
  int field = 3;
  char const* const end = text.data() + n;
  for (at += 2; at < end && field < 31; ++at) {
    if (*at != ' ') continue;
    ++field;
    if (field == 22) std::from_chars(at + 1, end, fields.start_time);
    if (field == 31) std::from_chars(at + 1, end, fields.pending);
  }
  return field == 31 ? std::optional(fields) : std::nullopt;
}

bool has_kill_pending(int tasks, char const* tid) noexcept {
  std::array<char, 32> path{};
  std::snprintf(path.data(), path.size(), "%.16s/stat", tid);
  auto const fields = read_stat(tasks, path.data());
  if (!fields || fields->state == 'Z' || fields->state == 'X') return false;
  return (fields->pending & u64{1} << (SIGKILL - 1)) != 0;
}

/// Where /proc hides other users' processes: waits until the whole process has exited.
bool is_hidden_and_running(u32 pid) noexcept {
  int const fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
  if (fd < 0) return false;
  pollfd exited{fd, POLLIN, 0};
  int const n = ::poll(&exited, 1, 0);
  ::close(fd);
  return n == 0;
}

}  // namespace

std::optional<process_identity> own_identity() noexcept {
  auto const fields = read_stat(AT_FDCWD, "/proc/self/stat");
  struct ::stat ns {};
  if (!fields || ::stat("/proc/self/ns/pid", &ns) != 0) return std::nullopt;
  return process_identity{static_cast<u32>(::getpid()), fields->start_time, ns.st_ino};
}

bool may_still_run(u32 pid, u64 start_time) noexcept {
  std::array<char, 40> path{};
  std::snprintf(path.data(), path.size(), "/proc/%u/task", pid);
  int const tasks = ::open(path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (tasks < 0) return is_hidden_and_running(pid);
  std::snprintf(path.data(), path.size(), "%u/stat", pid);
  auto const leader = read_stat(tasks, path.data());
  if (!leader || leader->start_time != start_time) {
    ::close(tasks);
    return false;
  }
  bool running = false;
  alignas(std::uint64_t) std::array<char, 4096> entries;
  for (long n = 0; !running && (n = ::syscall(SYS_getdents64, tasks, entries.data(), entries.size())) > 0;) {
    for (long at = 0; at < n && !running;) {
      // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
      u16 length = 0;
      std::memcpy(&length, entries.data() + at + 16, sizeof length);
      char const* const name = entries.data() + at + 19;
      if (name[0] != '.') running = has_kill_pending(tasks, name);
      at += length;
    }
  }
  ::close(tasks);
  return running;
}

}  // namespace leasehold::inline v0_1::local
