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
#include <ctime>

namespace leasehold::inline v0_1::local {

namespace {

/// The fields of a `stat` file that matter here, by their numbers in proc(5).
struct stat_fields {
  char state = '?';    // 3
  u64 threads = 0;     // 20
  u64 start_time = 0;  // 22
  u64 pending = 0;     // 31

  [[nodiscard]] bool may_act() const noexcept {
    return state != 'Z' && state != 'X' && (pending & u64{1} << (SIGKILL - 1)) != 0;
  }
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
    if (field == 20) std::from_chars(at + 1, end, fields.threads);
    if (field == 22) std::from_chars(at + 1, end, fields.start_time);
    if (field == 31) std::from_chars(at + 1, end, fields.pending);
  }
  return field == 31 ? std::optional(fields) : std::nullopt;
}

/// Whether one of the threads in `/proc/PID/task` may act.
bool may_some_act(int tasks) noexcept {
  alignas(std::uint64_t) std::array<char, 4096> entries;
  for (long n = 0; (n = ::syscall(SYS_getdents64, tasks, entries.data(), entries.size())) > 0;) {
    for (long at = 0; at < n;) {
      // struct linux_dirent64: inode 8, offset 8, record length 2, type 1, name.
      u16 length = 0;
      std::memcpy(&length, entries.data() + at + 16, sizeof length);
      char const* const name = entries.data() + at + 19;
      std::array<char, 32> path{};
      std::snprintf(path.data(), path.size(), "%.16s/stat", name);
      auto const thread = name[0] == '.' ? std::nullopt : read_stat(tasks, path.data());
      if (thread && thread->may_act()) return true;
      at += length;
    }
  }
  return false;
}

}  // namespace

std::optional<process_identity> own_identity() noexcept {
  auto const fields = read_stat(AT_FDCWD, "/proc/self/stat");
  struct ::stat ns {};
  if (!fields || ::stat("/proc/self/ns/pid", &ns) != 0) return std::nullopt;
  return process_identity{static_cast<u32>(::getpid()), fields->start_time, ns.st_ino};
}

bool has_exited(u32 pid, duration at_most) noexcept {
  int const fd = static_cast<int>(::syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));
  if (fd < 0) return ::kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
  pollfd exited{fd, POLLIN, 0};
  timespec const timeout{0, at_most.count()};
  int const n = ::ppoll(&exited, 1, &timeout, nullptr);
  ::close(fd);
  return n > 0;
}

bool may_still_run(u32 pid, u64 start_time, u32 beacon_tid) noexcept {
  std::array<char, 48> path{};
  std::snprintf(path.data(), path.size(), "/proc/%u/stat", pid);
  auto const leader = read_stat(AT_FDCWD, path.data());
  // Hidden from us by the mount option hidepid, or gone.
  if (!leader) return !has_exited(pid, duration::zero());
  if (leader->start_time != start_time) return false;
  if (leader->may_act()) return true;
  if (leader->threads <= 1) return false;
  // Read in this order, two threads of which one is the beacon's, which acts no more, leave the leader alone.
  bool const beacon_was_counted = ::syscall(SYS_tgkill, pid, beacon_tid, 0) == 0 || errno == EPERM;
  if (leader->threads == 2 && beacon_was_counted) return false;
  std::snprintf(path.data(), path.size(), "/proc/%u/task", pid);
  int const tasks = ::open(path.data(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool const running = tasks >= 0 && may_some_act(tasks);
  if (tasks >= 0) ::close(tasks);
  return running;
}

}  // namespace leasehold::inline v0_1::local
