// Decides what one `leasehold run` was asked to do, checked before anything is forked or opened.
#pragma once

#include "base/context.hpp"

#include <leasehold/options.hpp>

#include <optional>
#include <string>
#include <vector>

namespace leasehold::cli {

enum class on_lost { term, kill, ignore };

struct wanted_lock {
  std::string name;
  leasehold::mode mode;
  std::optional<duration> ttl;
};

struct run_plan {
  std::vector<wanted_lock> locks;  ///< sorted by name, no name twice: every run takes them in the same order
  store_choice store;
  leasehold::open_options open;  ///< views into the invocation, which outlives the plan

  std::optional<duration> wait;  ///< absent: without bound
  duration hold_at_least{};
  std::optional<duration> max_runtime;
  duration kill_after = std::chrono::seconds{5};  ///< from TERM to KILL
  leasehold::cli::on_lost on_lost = leasehold::cli::on_lost::term;
  int lost_exit_code = 79;
  int busy_exit_code = 75;
  bool wait_tree = false;

  std::string identity;  ///< empty: host/pid of the supervisor
  std::string reason;
  std::vector<std::pair<std::string, std::string>> labels;

  std::optional<duration> once_window;  ///< `once`: how long its end is remembered; one exclusive lock then
  bool candidate = false;    ///< `elect`: ready for systemd as soon as it stands, not when it leads
  bool stand_again = false;  ///< `elect`: after a lost term, into the line again
  std::string on_lost_line;  ///< `elect`: for /bin/sh, once the job of a lost term is gone; empty: nothing

  std::vector<std::string> job;  ///< never empty
  std::string status_file;
  int status_fd = -1;
  bool dry_run = false;
  bool quiet = false;
  bool verbose = false;
  bool json = false;
};

/// Of `run`, and of `elect`. They throw `problem` (64, 78).
[[nodiscard]] run_plan make_plan(invocation& call);
[[nodiscard]] run_plan make_once_plan(invocation& call);
[[nodiscard]] run_plan make_candidacy(invocation& call);

/// "nightly" or "nightly, weekly": for messages.
[[nodiscard]] std::string names_of(run_plan const& plan);

}  // namespace leasehold::cli
