// Decides which processes belong to a job.
#include "run/process_tree.hpp"

#include "run/descriptor.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <string>

namespace leasehold::cli {

namespace {

struct close_directory {
  void operator()(DIR* d) const noexcept { ::closedir(d); }
};

std::string content(std::string const& path) {
  descriptor const fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  std::string text;
  char part[1024];
  ssize_t n = 0;
  while (fd && (n = ::read(fd.get(), part, sizeof part)) > 0) text.append(part, static_cast<std::size_t>(n));
  return text;
}

void add_children_of(pid_t parent, std::vector<pid_t>& out) {
  auto const tasks = "/proc/" + std::to_string(parent) + "/task";
  std::unique_ptr<DIR, close_directory> const directory{::opendir(tasks.c_str())};
  while (auto const* entry = directory ? ::readdir(directory.get()) : nullptr) {
    if (entry->d_name[0] == '.') continue;
    auto const text = content(tasks + "/" + entry->d_name + "/children");
    char const* at = text.c_str();
    for (char* end = nullptr; *at != '\0'; at = end) {
      auto const pid = static_cast<pid_t>(std::strtol(at, &end, 10));
      if (end == at) break;
      out.push_back(pid);
    }
  }
}

}  // namespace

void become_subreaper() noexcept { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

bool group_exists(pid_t group) noexcept { return ::kill(-group, 0) == 0 || errno == EPERM; }

void signal_group(pid_t group, int signal) noexcept {
  if (group > 1) ::kill(-group, signal);
}

void signal_tree(pid_t group, bool all, int signal, pid_t spared) {
  signal_group(group, signal);
  if (!all) return;
  for (pid_t const each : descendants()) {
    if (each != spared) ::kill(each, signal);
  }
}

std::vector<pid_t> children() {
  std::vector<pid_t> out;
  add_children_of(::getpid(), out);
  return out;
}

std::vector<pid_t> descendants() {
  auto out = children();
  for (std::size_t i = 0; i < out.size(); ++i) add_children_of(pid_t{out[i]}, out);
  return out;
}

}  // namespace leasehold::cli
