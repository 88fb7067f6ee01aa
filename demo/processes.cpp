#include "processes.hpp"

#include <cerrno>
#include <csignal>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace demo {
namespace {

constexpr int exit_not_started = 127;

/// In the child: only async-signal-safe calls.
[[noreturn]] void become(pid_t parent, std::vector<char*> const& arguments, char const* directory, char const* output) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  bool ready = ::getppid() == parent;  // else the parent ended before the line above
  if (*directory != '\0') ready = ready && ::chdir(directory) == 0;
  if (*output != '\0') {
    int const fd = ::open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ready = ready && fd >= 0 && ::dup2(fd, STDOUT_FILENO) >= 0;
  }
  if (ready) ::execvp(arguments[0], arguments.data());
  ::_exit(exit_not_started);
}

}  // namespace

process::process(std::vector<std::string> const& arguments, std::string const& directory, std::string const& output) {
  std::vector<char*> pointers;
  pointers.reserve(arguments.size() + 1);
  for (auto const& argument : arguments) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  pid_t const parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  if (pid_ == 0) become(parent, pointers, directory.c_str(), output.c_str());
}

process::process(process&& other) noexcept : pid_(std::exchange(other.pid_, -1)), exit_code_(other.exit_code_) {}

process::~process() {
  if (runs()) kill();
}

bool process::freeze() {
  if (!runs() || ::kill(pid_, SIGSTOP) != 0) return false;
  return collect(WUNTRACED);
}

void process::thaw() const {
  if (runs()) ::kill(pid_, SIGCONT);
}

void process::kill() {
  if (runs()) ::kill(pid_, SIGKILL);
  wait();
}

void process::poll() {
  if (runs()) collect(WNOHANG);
}

void process::wait() {
  while (runs()) collect(0);
}

bool process::collect(int flags) {
  int status = 0;
  pid_t changed = 0;
  do changed = ::waitpid(pid_, &status, flags);
  while (changed < 0 && errno == EINTR);
  if (changed == 0) return false;
  if (changed > 0 && WIFSTOPPED(status)) return true;
  pid_ = -1;
  exit_code_ = changed > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

}  // namespace demo
