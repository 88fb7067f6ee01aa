// Decides the system calls behind processes.hpp.
#include "processes.hpp"

#include <linux/futex.h>
#include <linux/magic.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace bench {
namespace {

void write_all(int fd, void const* data, std::size_t size) {
  auto const* bytes = static_cast<char const*>(data);
  while (size > 0) {
    auto const n = write(fd, bytes, size);
    if (n <= 0) fail_with_errno("write");
    bytes += n;
    size -= static_cast<std::size_t>(n);
  }
}

std::string read_all(int fd) {
  std::string out;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = read(fd, buffer, sizeof buffer)) > 0) out.append(buffer, static_cast<std::size_t>(n));
  return out;
}

std::string describe_status(int status) {
  if (!WIFSIGNALED(status)) return "exited with " + std::to_string(WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGALRM) return "did not finish in time";
  return std::string("died of ") + strsignal(WTERMSIG(status));
}

}  // namespace

void fail_with_errno(char const* what) { throw std::system_error(errno, std::system_category(), what); }

child::child(std::function<void()> const& body, unsigned seconds_max) {
  std::fflush(nullptr);
  auto const parent = getpid();
  pid_ = fork();
  if (pid_ < 0) fail_with_errno("fork");
  if (pid_ > 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  alarm(seconds_max);
  int code = 0;
  try {
    body();
  } catch (std::exception const& e) {
    std::fprintf(stderr, "\n%s\n", e.what());
    code = 1;
  }
  _exit(code);
}

child::~child() { kill_and_reap(); }

void child::join() {
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) fail_with_errno("waitpid");
  }
  pid_ = -1;
  if (status != 0) throw std::runtime_error("a measuring process " + describe_status(status));
}

void child::kill_and_reap() noexcept {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

std::vector<double> in_child(std::function<std::vector<double>()> const& body, unsigned seconds_max) {
  int ends[2];
  if (pipe(ends) != 0) fail_with_errno("pipe");
  child process(
      [&] {
        close(ends[0]);
        auto const values = body();
        write_all(ends[1], values.data(), values.size() * sizeof(double));
      },
      seconds_max);
  close(ends[1]);
  auto const bytes = read_all(ends[0]);
  close(ends[0]);
  process.join();
  std::vector<double> values(bytes.size() / sizeof(double));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(double));
  return values;
}

scratch::scratch(std::filesystem::path const& base) {
  auto name = (base / "leasehold-bench.XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) fail_with_errno("mkdtemp");
  path_ = name;
}

scratch::~scratch() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::filesystem::path scratch::usual_base() {
  auto const* const chosen = std::getenv("TMPDIR");
  return chosen != nullptr && *chosen != '\0' ? chosen : "/var/tmp";
}

bool is_tmpfs(std::filesystem::path const& path) {
  struct statfs where {};
  return statfs(path.c_str(), &where) == 0 && where.f_type == TMPFS_MAGIC;
}

void pin(unsigned n) {
  static cpu_set_t const allowed = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) fail_with_errno("sched_getaffinity");
    return set;
  }();
  n %= static_cast<unsigned>(CPU_COUNT(&allowed));
  for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed) || n-- > 0) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) fail_with_errno("sched_setaffinity");
    return;
  }
}

void wait_until(std::function<bool()> const& done) {
  while (!done()) usleep(100);
}

void wait_until_asleep(pid_t pid) {
  auto const state_file = "/proc/" + std::to_string(pid) + "/stat";
  wait_until([&] {
    std::string line;
    std::getline(std::ifstream(state_file) >> std::ws, line);
    auto const state = line.rfind(") ");
    return state != std::string::npos && line[state + 2] == 'S';
  });
}

void futex_wait(std::atomic<std::uint32_t>& word, std::uint32_t expected) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAIT, expected, nullptr, nullptr, 0);
}

void futex_wake_one(std::atomic<std::uint32_t>& word) noexcept {
  syscall(SYS_futex, &word, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

}  // namespace bench
