// Decides what the front does: forwards signals, stops when the job is stopped, and ends the job if the supervisor dies or is
// silent until the lease ends.
#include "run/front.hpp"

#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/alarm.hpp"
#include "run/last_word.hpp"
#include "run/notify.hpp"
#include "run/process_tree.hpp"
#include "run/supervisor.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <tuple>

namespace leasehold::cli {

namespace {

constexpr int forwarded[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH};

class front {
 public:
  explicit front(run_plan const& plan) : plan_(plan), tty_(terminal::of_this_process()) {}

  int run() {
    take_signals();
    become_subreaper();
    channel theirs;
    std::tie(link_, theirs) = channel::make();
    pid_t const self = ::getpid();
    supervisor_ = ::fork();
    if (supervisor_ < 0) throw os_refused("starting the supervisor", errno);
    if (supervisor_ == 0) be_supervisor(self, std::move(theirs));
    theirs.reset();
    while (!finished_ && !link_.closed()) {
      if (mind_the_lease() == stop_action::kill) return supervisor_is_silent();
      listen();
    }
    if (!finished_) return supervisor_died();
    notify_systemd("STOPPING=1");
    ::waitpid(supervisor_, nullptr, 0);
    return end(*finished_);
  }

 private:
  void take_signals() {
    sigset_t mine;
    sigemptyset(&mine);
    for (int const each : forwarded) sigaddset(&mine, each);
    for (int const each : {SIGCONT, SIGTSTP, SIGCHLD}) sigaddset(&mine, each);
    signals_ = descriptor{::signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!signals_) throw os_refused("making a signal descriptor", errno);
    for (int const each : {SIGPIPE, SIGTTOU}) sigaddset(&mine, each);
    ::sigprocmask(SIG_BLOCK, &mine, &caller_mask_);
  }

  [[noreturn]] void be_supervisor(pid_t front_pid, channel to_front) {
    link_.reset();
    signals_.reset();
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, nullptr);
    pid_t const front_group = ::getpgrp();
    ::setpgid(0, 0);  // what the terminal or the shell does to the front's group does not reach us
    become_subreaper();
    supervision me{plan_, std::move(to_front), if_silent_, tty_, front_group, caller_mask_, front_pid};
    ::_exit(supervise(me));
  }

  void listen() {
    pollfd events[] = {{signals_.get(), POLLIN, 0}, {link_.get(), POLLIN, 0}, {alarm_.get(), POLLIN, 0}};
    if (::poll(events, 3, -1) < 0) return;
    if (events[0].revents != 0) hear_signals();
    if (events[2].revents != 0) alarm_.acknowledge();
    while (!finished_) {
      auto const m = link_.receive();
      if (!m) return;
      obey(*m);
    }
  }

  /// Returns `kill` when the time has come; does the rest.
  stop_action mind_the_lease() {
    if (job_ <= 0) return stop_action::none;
    auto left = if_silent_.read();
    auto const due = left.due(clock::now());
    if (due == stop_action::term) {
      link_.send(word::silent);  // first: so the supervisor, should it wake up, knows why the job ends
      say_unless_blocked(
          joined({"the supervisor of ", names_of(plan_), " does not answer: stopping the job before the lease ends"}));
      signal_job(SIGTERM);
      signal_job(SIGCONT);  // a stopped process cannot react to TERM
      left.term_at = time_point::max();
      if_silent_.leave(left);
    }
    alarm_.set(left.wake_at());
    return due;
  }

  void hear_signals() {
    signalfd_siginfo info;
    while (::read(signals_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      auto const signal = static_cast<int>(info.ssi_signo);
      if (signal == SIGCHLD) continue;  // the link tells what there is to know
      if (signal == SIGTSTP) {
        link_.send(word::stop);
      } else if (signal == SIGCONT) {
        resume();
      } else {
        link_.send(word::signal, signal);
      }
    }
  }

  void obey(message const& m) {
    switch (m.what) {
      case word::started:
        job_ = m.number;
        break;
      case word::stopped:
        job_stopped(m.number);
        break;
      case word::status:
        notify_systemd(joined({"STATUS=", m.text}));
        break;
      case word::ready:
        notify_systemd("READY=1");
        break;
      case word::finished:
        finished_ = m;
        break;
      default:
        break;
    }
  }

  void resume() const { link_.send(word::resume, tty_.has_foreground(::getpgrp()) ? 1 : 0); }

  void job_stopped(int signal) {
    bool const wants_terminal = signal == SIGTTIN || signal == SIGTTOU;
    if (wants_terminal && tty_.has_foreground(::getpgrp())) return resume();
    bool const from_terminal = job_ > 0 && tty_.pass(job_, ::getpgrp());
    if (signal == SIGSTOP) {
      ::raise(SIGSTOP);  // by hand: until somebody resumes us, or the job
      return resume();
    }
    // With the terminal the whole group, as the terminal would have done it. In an orphaned group (nobody could resume us)
    // the kernel ignores this, and the job goes on at once: as unwrapped.
    ::kill(from_terminal ? 0 : ::getpid(), SIGTSTP);
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
    ::sigprocmask(SIG_BLOCK, &stop, nullptr);
    resume();
  }

  int supervisor_is_silent() {
    signal_job(SIGKILL);
    ::kill(supervisor_, SIGKILL);  // last: it holds the name, and its children become ours to collect
    ::waitpid(supervisor_, nullptr, 0);
    end_job();
    return broken_off(
        "lost",
        {plan_.lost_exit_code, "LH-LEASE-LOST",
         joined({"lost the lease of ", names_of(plan_), ": its supervisor did not answer; the job was stopped"}),
         "was it stopped, or the machine overloaded?  a longer --ttl bears more"});
  }

  int supervisor_died() {
    int status = 0;
    ::waitpid(supervisor_, &status, 0);
    end_job();
    auto const how = WIFSIGNALED(status) ? joined({"killed by signal ", std::to_string(WTERMSIG(status))})
                                         : joined({"exit code ", std::to_string(WEXITSTATUS(status))});
    problem const what =
        job_ > 0
            ? problem{exit_code::broken, "LH-SUPERVISION-BROKEN",
                      joined({"the supervisor of ", names_of(plan_), " died (", how,
                              "); its job was killed, with unknown result"}),
                      "was it the kernel, short of memory? see dmesg"}
            : problem{exit_code::internal, "LH-INTERNAL",
                      joined({"the supervisor of ", names_of(plan_), " died (", how, ") before it started the job"}),
                      "if nobody killed it, please report it with: leasehold version -o json"};
    return broken_off("broken", what);
  }

  int broken_off(std::string_view outcome, problem const& what) {
    print(what, plan_.json);
    run_report report;
    report.outcome = outcome;
    report.exit_code = what.exit_code;
    report.code = what.code;
    report.message = what.message;
    report.asked_at = clock::now();
    for (auto const& lock : plan_.locks) report.locks.push_back({lock.name, {}, {}});
    if (job_ > 0) report.job_pid = job_;
    write_report(plan_, report);
    return what.exit_code;
  }

  void signal_job(int signal) const { signal_tree(job_, plan_.wait_tree, signal, supervisor_); }

  /// The supervisor's children are ours now (we are a subreaper): nothing of the job may outlive us.
  void end_job() {
    while (true) {
      signal_job(SIGKILL);
      pid_t reaped = 0;
      while ((reaped = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      bool const none = reaped < 0 && errno == ECHILD;
      if (none || (!plan_.wait_tree && (job_ <= 0 || !group_exists(job_)))) break;
      pollfd event{signals_.get(), POLLIN, 0};
      ::poll(&event, 1, 20);
      signalfd_siginfo ignored[8];
      while (::read(signals_.get(), ignored, sizeof ignored) > 0) {
      }
    }
    if (job_ > 0) tty_.pass(job_, ::getpgrp());
  }

  /// ^C must also end a script around us, as it would unwrapped: shells go by how their child died, not by its exit code.
  static int end(message const& last) {
    std::string_view const interrupted{last.text};
    if (interrupted.empty()) return last.number;
    ::signal(SIGINT, SIG_DFL);
    ::kill(interrupted == "group" ? 0 : ::getpid(), SIGINT);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    ::sigprocmask(SIG_UNBLOCK, &set, nullptr);
    return last.number;
  }

  run_plan const& plan_;
  terminal tty_;
  descriptor signals_;
  sigset_t caller_mask_{};
  pid_t supervisor_ = -1;
  pid_t job_ = -1;
  channel link_;
  last_word if_silent_;
  alarm_clock alarm_;
  std::optional<message> finished_;
};

}  // namespace

int run_as_front(run_plan const& plan) { return front{plan}.run(); }

}  // namespace leasehold::cli
