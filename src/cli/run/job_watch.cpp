// Decides what happens while the job runs.
#include "run/job_watch.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/hook.hpp"
#include "run/process_tree.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include <cerrno>

namespace leasehold::cli {

namespace {

descriptor child_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  descriptor fd{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
  if (!fd) throw os_refused("making a signal descriptor", errno);
  return fd;
}

}  // namespace

job_watch::job_watch(supervision& me, lease_set const& leases, check_socket const& asked)
    : me_(me),
      leases_(leases),
      asked_(asked),
      child_signals_(child_signals()),
      stop_(me.plan.on_lost, me.plan.kill_after) {}

void job_watch::start() {
  if (me_.plan.max_runtime) stop_.set_runtime_limit(clock::now() + *me_.plan.max_runtime);
  learn_deadline();
  me_.if_silent.leave(stop_.if_silent());  // before there is a job: we may be stopped at any moment
  job_setting const setting{me_.caller_mask, &me_.tty, me_.front_group, &me_.front, me_.job_output};
  job_ = start_job(me_.plan.job, job_environment(me_.plan, leases_, asked_.address()), setting);
  me_.report.job_pid = job_.pid;
}

void job_watch::run() {
  start();
  while (!all_gone()) {
    look_at_leases();
    act();
    me_.if_silent.leave(stop_.if_silent());
    alarm_.set(stop_.wake_at(clock::now()));
    wait_for_something();
  }
  me_.if_silent.leave({});
  look_at_leases();
}

void job_watch::wait_for_something() {
  pollfd events[] = {
      {child_signals_.get(), POLLIN, 0},      {me_.front.get(), POLLIN, 0}, {job_.exec_failure.get(), POLLIN, 0},
      {leases_.loss_descriptor(), POLLIN, 0}, {asked_.get(), POLLIN, 0},    {alarm_.get(), POLLIN, 0}};
  if (lost_) events[3].fd = -1;  // it stays readable
  // Members of the group that are not our children end without a signal to us.
  bool const lingering = wait_status_.has_value() || killing_ || wake_front_;
  ::poll(events, 6, lingering ? 50 : -1);
  if (events[2].revents != 0) exec_answered();
  if (events[0].revents != 0 || lingering) reap();
  if (events[1].revents != 0) hear_front();
  if (events[4].revents != 0) asked_.answer(leases_);
  if (events[5].revents != 0) alarm_.acknowledge();
  if (wake_front_) ::kill(me_.front_pid, SIGCONT);  // until it answers: it may not have stopped yet
}

void job_watch::exec_answered() {
  int error = 0;
  auto const n = ::read(job_.exec_failure.get(), &error, sizeof error);
  if (n < 0 && errno == EINTR) return;
  if (n == static_cast<ssize_t>(sizeof error)) exec_error_ = error;
  job_.exec_failure.reset();
  if (exec_error_ == 0) me_.front.send(word::ready);
}

void job_watch::hear_front() {
  while (auto const m = me_.front.receive()) obey(*m);
  if (me_.front.closed()) stop_.front_died(clock::now());
}

void job_watch::obey(message const& m) {
  switch (m.what) {
    case word::signal:
      me_.told_to_end = me_.told_to_end || ends_a_candidacy(m.number);
      if (m.number == SIGINT && ++interrupts_ == 2) return stop_.second_interrupt(clock::now());
      return signal_group(job_.pid, m.number);
    case word::stop:
      return signal_group(job_.pid, SIGTSTP);
    case word::resume:
      me_.front_stopped = false;
      wake_front_ = false;
      if (m.number == 1) me_.tty.pass(me_.front_group, job_.pid);
      return signal_group(job_.pid, SIGCONT);
    case word::silent:
      return stop_.was_silent();
    default:
      return;
  }
}

void job_watch::reap() {
  signalfd_siginfo ignored[8];
  while (::read(child_signals_.get(), ignored, sizeof ignored) > 0) {
  }
  while (true) {
    int status = 0;
    pid_t const pid = ::waitpid(-1, &status, WNOHANG | WUNTRACED | WCONTINUED);
    no_children_ = pid < 0 && errno == ECHILD;
    if (pid <= 0) return;
    if (pid == job_.pid) job_changed(status);
  }
}

void job_watch::job_changed(int status) {
  if (WIFSTOPPED(status)) {
    if (!me_.front_stopped) me_.front.send(word::stopped, WSTOPSIG(status));
    me_.front_stopped = true;
    return;
  }
  if (WIFCONTINUED(status)) {  // by somebody else than the front: it must not sleep on
    wake_front_ = me_.front_stopped;
    return;
  }
  look_at_leases();
  wait_status_ = status;
  me_.report.job_ended_at = clock::now();
  bool const had_terminal = me_.tty.pass(job_.pid, me_.front_group);
  interrupted_at_terminal_ = had_terminal && WIFSIGNALED(status) && WTERMSIG(status) == SIGINT;
}

void job_watch::learn_deadline() {
  if (auto const ttl = leases_.shortest_ttl()) stop_.set_deadline(leases_.deadline(), *ttl);
}

void job_watch::look_at_leases() {
  learn_deadline();
  if (lost_ || leases_.held()) return;
  lost_ = true;
  stop_.lost(clock::now());
  what_was_lost_ = leases_.what_is_lost();
  if (me_.plan.on_lost == on_lost::ignore) {
    say_unless_blocked(joined({"WARNING: the lease of ", what_was_lost_,
                               " is lost and the job goes on (--on-lost ignore): another may run beside it"}));
  } else if (!wait_status_) {
    say_unless_blocked(joined({"the lease of ", what_was_lost_, " is lost: stopping the job"}));
  }
}

void job_watch::act() {
  while (true) {
    switch (stop_.next(clock::now())) {
      case stop_action::none:
        if (killing_) stop_job(SIGKILL);  // what was forked meanwhile
        return;
      case stop_action::kill:
        killing_ = true;
        break;
      case stop_action::term:
        if (stop_.reason() == stop_reason::max_runtime)
          say_unless_blocked(joined({"--max-runtime reached: stopping the job"}));
        if (stop_.reason() == stop_reason::lease_lost && !lost_) {
          say_unless_blocked(joined(
              {"renewal of ", names_of(me_.plan), " has failed too long: stopping the job before the lease ends"}));
        }
        stop_job(SIGTERM);
        stop_job(SIGCONT);  // a stopped process cannot react to TERM
    }
  }
}

void job_watch::stop_job(int signal) const { signal_tree(job_.pid, me_.plan.wait_tree, signal); }

bool job_watch::all_gone() const {
  if (!wait_status_) return false;
  return me_.plan.wait_tree ? no_children_ : !group_exists(job_.pid);
}

}  // namespace leasehold::cli
