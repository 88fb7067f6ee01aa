// Decides how long the smallest job takes under the command: run/startup.
#include "benchmarks.hpp"
#include "processes.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

extern char** environ;

namespace bench {
namespace {

using command = std::vector<std::string>;

/// Nanoseconds from starting `words` to having its exit status.
double time_of(command const& words) {
  std::vector<char*> arguments;
  for (auto const& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  int status = 0;
  auto const start = now_ns();
  if (auto const error = posix_spawnp(&pid, arguments[0], nullptr, nullptr, arguments.data(), environ); error != 0) {
    throw std::system_error(error, std::system_category(), words[0]);
  }
  if (wait4(pid, &status, 0, nullptr) < 0) fail_with_errno("wait4");
  auto const took = now_ns() - start;
  if (status != 0) throw std::runtime_error(words[0] + " failed");
  return took;
}

/// The cron user's first call: no configuration, everything in an empty home.
void live_in(std::filesystem::path const& home) {
  for (auto const* name : {"HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"})
    setenv(name, home.c_str(), 1);
  std::vector<std::string> ours;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view const text(*entry);
    if (text.starts_with("LEASEHOLD_")) ours.emplace_back(text.substr(0, text.find('=')));
  }
  for (auto const& name : ours) unsetenv(name.c_str());
}

/// One run: {ours, flock} in ns, the median of `count` starts of each, in turns.
series starts(std::filesystem::path const& cli, scratch const& room, unsigned count) {
  live_in(room.path());
  command const ours{cli.string(), "run", "--name", "nightly", "--", "true"};
  command const flock{"flock", (room.path() / "flock").string(), "true"};
  for (int warm_up = 0; warm_up < 3; ++warm_up) static_cast<void>(time_of(ours) + time_of(flock));
  series our_times, flock_times;
  for (unsigned i = 0; i < count; ++i) {
    our_times.push_back(time_of(ours));
    flock_times.push_back(time_of(flock));
  }
  return {median(our_times), median(flock_times)};
}

}  // namespace

std::vector<row> startup(settings const& how) {
  if (how.cli.empty()) throw skipped("no leasehold command found: build it, or name it with --cli");
  row r{.id = "run/startup", .unit = "ns", .ours = {}, .goals = {{against::peer, 2}}};
  r.note = "leasehold run --name N -- true; peer: flock file true";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room;
    auto const values = in_child([&] { return starts(how.cli, room, how.quick ? 20 : 200); });
    r.ours.push_back(values.at(0));
    r.peer.push_back(values.at(1));
    told.step();
  }
  return {r};
}

}  // namespace bench
