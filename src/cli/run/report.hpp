// Decides what the status file says: the one answer that cannot be confused with the job's own exit code.
#pragma once

#include "run/plan.hpp"

#include <leasehold/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::cli {

struct run_report {
  struct lock {
    std::string name;
    std::optional<std::uint64_t> token;
    std::string release;  ///< "released", "failed: …"; empty: not held
  };
  /// completed, signalled, lost, max_runtime, busy, unreachable, cancelled, not_executed, broken, failed
  std::string_view outcome = "failed";
  int exit_code = 70;
  std::string code;  ///< LH-…; empty when all went well
  std::string message;
  std::optional<int> job_exit_code;
  std::optional<int> job_signal;
  std::optional<std::int64_t> job_pid;
  std::vector<lock> locks;
  time_point asked_at{};
  std::optional<time_point> acquired_at;
  std::optional<time_point> job_ended_at;
};

/// Writes it to --status-file (whole or not at all) and --status-fd; says on stderr what cannot be written.
void write_report(run_plan const& plan, run_report const& report);

}  // namespace leasehold::cli
