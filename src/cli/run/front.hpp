// Decides what the front is: the process the caller started, with the terminal, the signals and the exit code.
#pragma once

#include "run/plan.hpp"

namespace leasehold::cli {

/// Forks the supervisor and speaks for it; returns the exit code. REQUIRES: one thread.
int run_as_front(run_plan const& plan);

}  // namespace leasehold::cli
