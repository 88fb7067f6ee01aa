// Decides which processes belong to a job: its group, and (for --wait-tree) every descendant, which a subreaper inherits.
#pragma once

#include <sys/types.h>

#include <vector>

namespace leasehold::cli {

/// Orphans among our descendants become our children from now on.
void become_subreaper() noexcept;
[[nodiscard]] bool group_exists(pid_t group) noexcept;
/// Nothing without a group (`group` <= 1).
void signal_group(pid_t group, int signal) noexcept;
/// The job as a whole: its group, if there is one, and with `all` every descendant of ours but `spared`.
void signal_tree(pid_t group, bool all, int signal, pid_t spared = -1);
/// Our children as the kernel lists them, zombies included. Empty also when /proc is not there.
[[nodiscard]] std::vector<pid_t> children();
/// All descendants of this process, children before grandchildren.
[[nodiscard]] std::vector<pid_t> descendants();

}  // namespace leasehold::cli
