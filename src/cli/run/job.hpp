// Decides how the user's command comes to life: own process group, the caller's signals and descriptors, death with its parent.
#pragma once

#include "run/channel.hpp"
#include "run/descriptor.hpp"
#include "run/lease_set.hpp"
#include "run/terminal.hpp"

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace leasehold::cli {

struct started_job {
  pid_t pid = -1;           ///< also its process group
  descriptor exec_failure;  ///< end of file: it runs; four bytes: the errno of exec
};

struct job_setting {
  sigset_t signal_mask;  ///< the caller's, before we blocked ours
  terminal const* tty;
  pid_t front_group;
  channel const* to_front;
  int standard_output = -1;  ///< -1: ours
};

/// REQUIRES: called on the thread that lives as long as the process (the parent-death signal is bound to it).
/// Throws `problem` (71).
[[nodiscard]] started_job start_job(std::vector<std::string> const& command,
                                    std::vector<std::string> const& environment, job_setting const& setting);

/// The caller's environment with LEASEHOLD_NAME, _TOKEN, _STORE, _HOLDER, _TTL_MS and _SOCKET; whatever an outer run left there
/// is gone, and nothing in it is a credential. Several names: one a line, tokens in the same order.
[[nodiscard]] std::vector<std::string> job_environment(run_plan const& plan, lease_set const& held,
                                                       std::string_view socket);

}  // namespace leasehold::cli
