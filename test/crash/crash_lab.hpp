// Decides how a process is killed, or stopped, at a chosen store instruction of the local engine, and what must be true afterwards.
#pragma once

#include <leasehold/leasehold.hpp>

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace leasehold::test {

/// A process carries out one operation on the store; `note` records every token it was granted.
struct scenario {
  char const* name;
  std::function<void(store const&, std::function<void(lease const&)> const& note)> run;
};

enum class blow { none, kill, stop };

struct outcome {
  bool reached = false;     ///< the point exists: the blow was struck
  std::uint64_t token = 0;  ///< the largest token the process was granted
};

/// One store file in a directory of its own, with a bystander: a process that holds "bystander" throughout.
class crash_lab {
 public:
  crash_lab();
  crash_lab(crash_lab const&) = delete;
  ~crash_lab();

  [[nodiscard]] std::string url() const;
  /// Runs `work` in a process of its own that is struck at its `point`-th crash point; returns when it is dead, or has ended, or
  /// (after `stop`) is stopped: then `resume` lets it go on.
  outcome strike(scenario const& work, std::uint64_t point, blow how);
  /// Lets the stopped process go on and waits for its end; true if it ended well.
  bool resume();
  [[nodiscard]] pid_t stopped() const noexcept { return stopped_; }

  /// Empty, or what is wrong: run in a fresh process. Every name can be had in time, with a token above `token`; the bystander
  /// still holds its own; nothing else is left.
  [[nodiscard]] std::string find_damage(std::uint64_t token);
  /// What a fresh process meets when it wants the scenario's names now: "held", "busy", or an error's text.
  [[nodiscard]] std::string meet(std::string const& name);

  /// In a child process: exit code 0, or the text it wrote.
  [[nodiscard]] std::string in_child(std::function<std::string()> const& what);

 private:
  void start_bystander();

  std::filesystem::path directory_;
  struct shared;
  shared* shared_;
  pid_t bystander_ = 0;
  pid_t stopped_ = 0;
};

[[nodiscard]] std::vector<scenario> const& scenarios();
/// The notes and results that scenarios write.
[[nodiscard]] std::vector<std::string> const& left_behind();
/// The names that scenarios use.
[[nodiscard]] std::vector<std::string> const& scenario_names();

}  // namespace leasehold::test
