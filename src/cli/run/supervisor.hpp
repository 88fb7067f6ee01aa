// Decides what the supervisor is: the process that holds the leases and is the job's parent.
#pragma once

#include "run/channel.hpp"
#include "run/descriptor.hpp"
#include "run/last_word.hpp"
#include "run/lease_set.hpp"
#include "run/plan.hpp"
#include "run/report.hpp"
#include "run/terminal.hpp"

#include <signal.h>
#include <sys/types.h>

namespace leasehold::cli {

/// What the supervisor was born with and what it has to say at the end.
struct supervision {
  run_plan const& plan;
  channel front;
  last_word const& if_silent;
  terminal const& tty;
  pid_t front_group;
  sigset_t caller_mask;
  pid_t front_pid;
  bool front_stopped = false;  ///< we told it to stop, and it has not answered `resume` yet
  int job_output = -1;         ///< what becomes the job's stdout; -1: ours
  bool told_to_end = false;    ///< by a signal to the job: no further term
  run_report report{};
};

/// A signal came before the job was started: the run leaves the line.
struct cancelled_by_signal {
  int signal;
};
/// The front died before the job was started.
struct abandoned {};

/// The whole life of the supervisor; returns its exit code. REQUIRES: a process of its own with one thread.
int supervise(supervision& me);

/// Waits in line for what `try_all` did not get. Throws `problem`, `cancelled_by_signal`, `abandoned`.
void wait_in_line(supervision& me, store const& where, lease_set& leases);

/// Holds the leases without a job while the user has us stopped. Throws as `wait_in_line`.
void wait_for_resume(supervision& me, lease_set const& leases);

}  // namespace leasehold::cli
