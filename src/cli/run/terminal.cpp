// Decides which process group has the terminal.
#include "run/terminal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace leasehold::cli {

terminal terminal::of_this_process() {
  terminal out;
  bool const any = ::isatty(STDIN_FILENO) == 1 || ::isatty(STDOUT_FILENO) == 1 || ::isatty(STDERR_FILENO) == 1;
  if (!any) return out;
  out.fd_ = descriptor{::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)};
  struct stat to {};
  bool const piped = ::fstat(STDOUT_FILENO, &to) == 0 && (S_ISFIFO(to.st_mode) || S_ISSOCK(to.st_mode));
  out.give_at_start_ = out.fd_ && ::isatty(STDIN_FILENO) == 1 && !piped;
  return out;
}

bool terminal::has_foreground(pid_t group) const noexcept { return fd_ && ::tcgetpgrp(fd_.get()) == group; }

bool terminal::pass(pid_t from, pid_t to) const noexcept {
  return has_foreground(from) && ::tcsetpgrp(fd_.get(), to) == 0;
}

}  // namespace leasehold::cli
