// Decides how the user's command comes to life.
#include "run/job.hpp"

#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace leasehold::cli {

namespace {

std::vector<char*> pointers(std::vector<std::string> const& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  for (auto const& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

/// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* argv, char* const* envp, job_setting const& setting, pid_t parent,
                         int failure_fd) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before the signal was armed
  pid_t const self = ::getpid();
  setting.to_front->send(word::started, self);  // before exec: no grandchild exists that the front does not know of
  if (setting.tty->give_at_start()) setting.tty->pass(setting.front_group, self);
  if (setting.standard_output >= 0 && ::dup2(setting.standard_output, STDOUT_FILENO) < 0)
    ::_exit(exit_code::os_refused);
  ::sigprocmask(SIG_SETMASK, &setting.signal_mask, nullptr);
  ::execvpe(argv[0], argv, envp);
  int const error = errno;
  if (::write(failure_fd, &error, sizeof error) < 0) ::_exit(126);
  ::_exit(127);
}

}  // namespace

started_job start_job(std::vector<std::string> const& command, std::vector<std::string> const& environment,
                      job_setting const& setting) {
  auto const argv = pointers(command);
  auto const envp = pointers(environment);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw os_refused("making a pipe", errno);
  descriptor ours{ends[0]};
  descriptor const theirs{ends[1]};
  pid_t const parent = ::getpid();
  pid_t const pid = ::fork();
  if (pid < 0) throw os_refused("starting a process", errno);
  if (pid == 0) become(argv.data(), envp.data(), setting, parent, theirs.get());
  ::setpgid(pid, pid);  // whoever comes first; a signal to the group must find it
  return {pid, std::move(ours)};
}

std::vector<std::string> job_environment(run_plan const& plan, lease_set const& held, std::string_view socket) {
  constexpr std::array<std::string_view, 6> ours{"LEASEHOLD_NAME=",   "LEASEHOLD_TOKEN=",  "LEASEHOLD_STORE=",
                                                 "LEASEHOLD_HOLDER=", "LEASEHOLD_TTL_MS=", "LEASEHOLD_SOCKET="};
  std::vector<std::string> out;
  for (char** each = environ; *each != nullptr; ++each) {
    std::string_view const text{*each};
    if (std::none_of(ours.begin(), ours.end(), [&](auto name) { return text.starts_with(name); }))
      out.emplace_back(text);
  }
  std::vector<std::string> names;
  std::vector<std::string> tokens;
  for (auto const& lease : held.leases()) {
    names.emplace_back(lease.name());
    tokens.push_back(lease.has_token() ? std::to_string(lease.token()) : std::string{});
  }
  auto const ttl = held.shortest_ttl();
  out.push_back(joined({ours[0], joined(names, "\n")}));
  out.push_back(joined({ours[1], joined(tokens, "\n")}));
  out.push_back(joined({ours[2], plan.store.label}));
  out.push_back(joined({ours[3], held.identity()}));
  out.push_back(joined({ours[4], std::to_string(ttl ? in_ms(*ttl) : 0)}));
  out.push_back(joined({ours[5], socket}));
  return out;
}

}  // namespace leasehold::cli
