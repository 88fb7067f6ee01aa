// Decides which processes belong to a job: its group, and (for --wait-tree) every descendant, which a subreaper inherits.
#pragma once

#include <sys/types.h>

#include <vector>

namespace leasehold::cli {

/// Orphans among our descendants become our children from now on.
void become_subreaper() noexcept;
[[nodiscard]] bool group_exists(pid_t group) noexcept;
/// REQUIRES: `group` > 1.
void signal_group(pid_t group, int signal) noexcept;
/// Our children as the kernel lists them, zombies included. Empty also when /proc is not there.
[[nodiscard]] std::vector<pid_t> children();
/// All descendants of this process, children before grandchildren.
[[nodiscard]] std::vector<pid_t> descendants();

}  // namespace leasehold::cli
