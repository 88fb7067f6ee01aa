// Decides which process group has the terminal. On no terminal every call is a no-op.
#pragma once

#include "run/descriptor.hpp"

#include <sys/types.h>

namespace leasehold::cli {

class terminal {
 public:
  /// The controlling terminal, if one of the standard descriptors is a terminal.
  [[nodiscard]] static terminal of_this_process();

  explicit operator bool() const noexcept { return static_cast<bool>(fd_); }
  [[nodiscard]] bool has_foreground(pid_t group) const noexcept;
  /// Moves the terminal from `from` to `to`, if `from` has it. REQUIRES: SIGTTOU blocked or `from` is ours.
  /// Async-signal-safe.
  bool pass(pid_t from, pid_t to) const noexcept;
  /// A job whose output goes into a pipe shares the terminal with the rest of the pipeline (a pager, say): it gets the
  /// terminal when it reads from it, not before.
  [[nodiscard]] bool give_at_start() const noexcept { return give_at_start_; }

 private:
  descriptor fd_;
  bool give_at_start_ = false;
};

}  // namespace leasehold::cli
