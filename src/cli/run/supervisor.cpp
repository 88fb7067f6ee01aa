// Decides the supervisor's life: take the leases, run the job, give the leases back, say how it went.
#include "run/supervisor.hpp"

#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/hook.hpp"
#include "run/job_watch.hpp"
#include "run/kept_output.hpp"
#include "run/lock_options.hpp"
#include "run/notify.hpp"

#include <poll.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>

namespace leasehold::cli {

namespace {

std::string identity_of(run_plan const& plan) {
  if (!plan.identity.empty()) return plan.identity;
  char host[256] = "localhost";
  ::gethostname(host, sizeof host - 1);
  return joined({host, "/", std::to_string(::getpid())});
}

store open_store(run_plan const& plan) {
  std::error_code ec;
  diagnostics details;
  auto opened = open(plan.store.url, plan.open, ec, &details);
  if (ec) throw from_library(ec, details, joined({"opening ", plan.store.label}));
  return opened;
}

void take(supervision& me, store const& where, lease_set& leases) {
  if (me.plan.candidate) me.front.send(word::ready);
  if (!leases.try_all()) {
    if (me.plan.wait == duration::zero()) {
      throw problem{exit_code::busy, "LH-BUSY", leases.busy_message(), leases.busy_hint()};
    }
    wait_in_line(me, where, leases);
  }
  me.report.acquired_at = clock::now();
  std::size_t i = 0;
  for (auto const& lease : leases.leases()) {
    if (lease.has_token()) me.report.locks[i].token = lease.token();
    ++i;
  }
}

std::string holding(lease_set const& leases) {
  std::vector<std::string> parts;
  for (auto const& lease : leases.leases()) {
    auto const token = lease.has_token() ? joined({", token ", std::to_string(lease.token())}) : std::string{};
    parts.push_back(joined({printable(lease.name()), token}));
  }
  return joined({"holding ", joined(parts, "; ")});
}

problem not_executed(std::string const& command, int error) {
  auto const text = printable(command);
  if (error == ENOENT) {
    return {exit_code::not_found, "LH-NOT-FOUND", joined({"command not found: ", text}),
            "is it in PATH?  a shell line: -c '…'"};
  }
  return {exit_code::cannot_execute,
          "LH-CANNOT-EXECUTE",
          joined({"cannot execute ", text, ": ", std::strerror(error)}),
          {}};
}

/// The job is over: how did it go? Throws `problem` unless it ran to its end under a good lease.
int verdict(supervision& me, job_watch const& watch) {
  auto& report = me.report;
  if (watch.exec_error() != 0) throw not_executed(me.plan.job.front(), watch.exec_error());
  int const status = watch.wait_status();
  if (WIFEXITED(status)) report.job_exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) report.job_signal = WTERMSIG(status);
  if (watch.lost()) {
    auto const& what = watch.what_was_lost();
    auto const ignored = me.plan.on_lost == on_lost::ignore ? "; the job ran on" : "; the job was stopped";
    throw problem{me.plan.lost_exit_code, "LH-LEASE-LOST",
                  joined({"lost the lease of ", what.empty() ? names_of(me.plan) : what, ignored}),
                  "what it was doing may be half done, and another may have begun"};
  }
  if (watch.why_stopped() == stop_reason::max_runtime) {
    throw problem{exit_code::max_runtime,
                  "LH-MAX-RUNTIME",
                  joined({"--max-runtime ", in_words(*me.plan.max_runtime), " reached; the job was stopped"}),
                  {}};
  }
  report.outcome = WIFEXITED(status) ? "completed" : "signalled";
  return WIFEXITED(status) ? WEXITSTATUS(status) : exit_code::by_signal + WTERMSIG(status);
}

/// Gives the leases back. A failure after a good end keeps the job's exit code: the lease expires, and the report says so.
void give_back(supervision& me, lease_set& leases, bool was_lost) {
  std::string trouble;
  if (leases.release_all(me.report, trouble) || was_lost) return;
  say(joined({"the job is done, but releasing failed (", trouble, "); the lease ends by itself"}));
}

using last_act = std::function<void(job_watch const&)>;

int run_job(supervision& me, lease_set& leases, std::string_view& interrupted, last_act const& before_release = {}) {
  check_socket const asked;
  leases.watch_for_loss();
  if (me.front_stopped) wait_for_resume(me, leases);
  if (systemd_listens()) me.front.send(word::status, 0, holding(leases));
  if (me.plan.verbose) say(holding(leases));
  job_watch watch{me, leases, asked};
  watch.run();
  if (watch.interrupted_at_terminal()) interrupted = "group";
  if (before_release) before_release(watch);
  give_back(me, leases, watch.lost());
  if (watch.lost() && !me.plan.on_lost_line.empty()) {
    run_hook(me, me.plan.on_lost_line, job_environment(me.plan, leases, {}));
  }
  return verdict(me, watch);
}

/// The job ended with 0 under a good lease.
bool has_ended_well(job_watch const& watch) {
  bool const ran = watch.exec_error() == 0 && !watch.lost() && watch.why_stopped() == stop_reason::none;
  return ran && WIFEXITED(watch.wait_status()) && WEXITSTATUS(watch.wait_status()) == 0;
}

int recall(supervision& me, std::string const& kept) {
  me.report.outcome = "completed";
  if (me.plan.verbose) say(joined({names_of(me.plan), " was done before: nothing was run"}));
  emit(kept);
  return exit_code::done;
}

/// INVARIANT: looked for again under the lock, so nobody's completion is missed.
int run_once(supervision& me, store const& where, std::string_view& interrupted) {
  if (auto const kept = find_kept(me.plan, where)) return recall(me, *kept);
  lease_set leases{me.plan, where, identity_of(me.plan)};
  take(me, where, leases);
  if (auto const kept = find_kept(me.plan, where)) {
    give_back(me, leases, false);
    return recall(me, *kept);
  }
  tell_previous(me.plan, leases);
  kept_output const output;
  me.job_output = output.get();
  std::optional<problem> not_kept;
  std::optional<problem> ended_badly;
  int code = 0;
  try {
    code = run_job(me, leases, interrupted, [&](job_watch const& watch) {
      if (has_ended_well(watch)) not_kept = keep(me.plan, where, leases, output);
    });
  } catch (problem const& what) {
    ended_badly = what;
  }
  output.write_out();
  if (ended_badly) throw *ended_badly;
  if (not_kept) throw *not_kept;
  return code;
}

std::string_view outcome_of(problem const& what) {
  constexpr std::pair<std::string_view, std::string_view> outcomes[] = {{"LH-BUSY", "busy"},
                                                                        {"LH-PROBATION", "busy"},
                                                                        {"LH-LEASE-LOST", "lost"},
                                                                        {"LH-MAX-RUNTIME", "max_runtime"},
                                                                        {"LH-NOT-FOUND", "not_executed"},
                                                                        {"LH-CANNOT-EXECUTE", "not_executed"},
                                                                        {"LH-STORE-UNREACHABLE", "unreachable"}};
  for (auto const& [code, outcome] : outcomes) {
    if (what.code == code) return outcome;
  }
  return "failed";
}

int failed(supervision& me, problem const& what) {
  print(what, me.plan.json);
  me.report.outcome = outcome_of(what);
  me.report.code = what.code;
  me.report.message = what.message;
  return what.exit_code == exit_code::busy ? me.plan.busy_exit_code : what.exit_code;
}

void begin_report(supervision& me) {
  me.report = {};
  me.report.asked_at = clock::now();
  for (auto const& lock : me.plan.locks) me.report.locks.push_back({lock.name, {}, {}});
}

/// From the line to the end of the job: a whole `run`, and one term of `elect`.
int one_hold(supervision& me, store const& where, std::string_view& interrupted) {
  lease_set leases{me.plan, where, identity_of(me.plan)};
  take(me, where, leases);
  return run_job(me, leases, interrupted);
}

int life(supervision& me, std::string_view& interrupted) {
  auto const where = open_store(me.plan);
  if (me.plan.once_window) return run_once(me, where, interrupted);
  while (true) {
    try {
      return one_hold(me, where, interrupted);
    } catch (problem const& what) {
      bool const term_lost = what.code == "LH-LEASE-LOST" && me.plan.stand_again;
      if (!term_lost || me.told_to_end || me.front.closed()) throw;
      print(what, me.plan.json);
    }
    begin_report(me);
  }
}

int guarded_life(supervision& me, std::string_view& interrupted) {
  try {
    return life(me, interrupted);
  } catch (problem const& what) {
    return failed(me, what);
  } catch (cancelled_by_signal const& by) {
    me.report.outcome = "cancelled";
    if (by.signal == SIGINT && me.tty.has_foreground(me.front_group)) interrupted = "self";
    return exit_code::by_signal + by.signal;
  } catch (abandoned const&) {
    me.report.outcome = "cancelled";
    return exit_code::broken;
  } catch (error const& e) {
    return failed(me, from_library(e.code(), e.details()));
  } catch (std::exception const& e) {
    return failed(me, from_library(errc::internal, diagnostics{e.what()}));
  }
}

/// A stopped front could not pass our answer on. It resumes, then reads it.
void wake_front(supervision& me) {
  while (me.front_stopped && !me.front.closed()) {
    ::kill(me.front_pid, SIGCONT);
    pollfd event{me.front.get(), POLLIN, 0};
    ::poll(&event, 1, 50);
    while (auto const m = me.front.receive()) {
      if (m->what == word::resume) me.front_stopped = false;
    }
  }
}

}  // namespace

int supervise(supervision& me) {
  begin_report(me);
  std::string_view interrupted;
  int const code = guarded_life(me, interrupted);
  me.report.exit_code = code;
  write_report(me.plan, me.report);
  wake_front(me);
  me.front.send(word::finished, code, interrupted);
  return code;
}

}  // namespace leasehold::cli
