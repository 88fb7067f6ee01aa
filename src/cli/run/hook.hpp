// Decides how a candidate's --on-lost line runs: after the job is gone, without the lease, and not for ever.
#pragma once

#include "run/supervisor.hpp"

#include <string>
#include <vector>

namespace leasehold::cli {

/// How long a line may take before it is killed: the next term waits for it.
inline constexpr duration hook_patience = std::chrono::seconds{10};

/// Runs `line` with /bin/sh in a process group of its own, and waits for it. Signals of the front go to it. Its exit code is said, not
/// returned. Throws `problem` (71).
void run_hook(supervision& me, std::string const& line, std::vector<std::string> const& environment);

/// Whether a signal means that the user wants no further term.
[[nodiscard]] bool ends_a_candidacy(int signal) noexcept;

}  // namespace leasehold::cli
