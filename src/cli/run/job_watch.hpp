// Decides what happens while the job runs: signals, stops, the lease's deadline, the runtime limit, the front's death.
#pragma once

#include "run/alarm.hpp"
#include "run/check_socket.hpp"
#include "run/job.hpp"
#include "run/stop_plan.hpp"
#include "run/supervisor.hpp"

#include <optional>

namespace leasehold::cli {

class job_watch {
 public:
  job_watch(supervision& me, lease_set const& leases, check_socket const& asked);

  /// Starts the job; returns when its whole group (with --wait-tree: every descendant) is gone. Throws `problem` (71).
  void run();

  [[nodiscard]] bool lost() const noexcept { return lost_ || stop_.reason() == stop_reason::lease_lost; }
  /// The first lease found lost, with why; empty if none was.
  [[nodiscard]] std::string const& what_was_lost() const noexcept { return what_was_lost_; }
  [[nodiscard]] stop_reason why_stopped() const noexcept { return stop_.reason(); }
  /// The direct child's, from waitpid.
  [[nodiscard]] int wait_status() const noexcept { return *wait_status_; }
  /// The errno of a failed exec; 0: it ran.
  [[nodiscard]] int exec_error() const noexcept { return exec_error_; }
  /// ^C at the terminal ended it: whoever shares the terminal with us should hear of it, too.
  [[nodiscard]] bool interrupted_at_terminal() const noexcept { return interrupted_at_terminal_; }

 private:
  void start();
  void wait_for_something();
  void hear_front();
  void obey(message const& m);
  void reap();
  void job_changed(int status);
  void exec_answered();
  void learn_deadline();
  void look_at_leases();
  void act();
  void stop_job(int signal) const;
  [[nodiscard]] bool all_gone() const;

  supervision& me_;
  lease_set const& leases_;
  check_socket const& asked_;
  started_job job_;
  descriptor child_signals_;
  alarm_clock alarm_;
  stop_plan stop_;
  std::optional<int> wait_status_;
  std::string what_was_lost_;
  int exec_error_ = 0;
  int interrupts_ = 0;
  bool lost_ = false;
  bool killing_ = false;
  bool wake_front_ = false;
  bool no_children_ = false;
  bool interrupted_at_terminal_ = false;
};

}  // namespace leasehold::cli
