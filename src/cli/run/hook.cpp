// Decides how a candidate's --on-lost line runs.
#include "run/hook.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/job.hpp"
#include "run/process_tree.hpp"

#include <poll.h>
#include <sys/wait.h>

namespace leasehold::cli {

namespace {

void hear_front(supervision& me, pid_t hook) {
  while (auto const m = me.front.receive()) {
    if (m->what == word::resume) me.front_stopped = false;
    if (m->what != word::signal) continue;
    me.told_to_end = me.told_to_end || ends_a_candidacy(m->number);
    signal_group(hook, m->number);
  }
}

}  // namespace

bool ends_a_candidacy(int signal) noexcept {
  return signal == SIGTERM || signal == SIGINT || signal == SIGHUP || signal == SIGQUIT;
}

void run_hook(supervision& me, std::string const& line, std::vector<std::string> const& environment) {
  auto const started =
      start_job({"/bin/sh", "-c", line}, environment, {me.caller_mask, &me.tty, me.front_group, &me.front});
  auto const give_up = clock::now() + hook_patience;
  bool killed = false;
  int status = 0;
  while (::waitpid(started.pid, &status, WNOHANG) == 0) {
    if (!killed && (clock::now() > give_up || me.front.closed())) {
      killed = true;
      say_unless_blocked(joined({"--on-lost takes longer than ", in_words(hook_patience), ": killed"}));
      signal_group(started.pid, SIGKILL);
    }
    pollfd event{me.front.get(), POLLIN, 0};
    ::poll(&event, 1, 20);
    hear_front(me, started.pid);
  }
  me.tty.pass(started.pid, me.front_group);
  if (!killed && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) {
    auto const how = WIFEXITED(status) ? joined({"with ", std::to_string(WEXITSTATUS(status))})
                                       : joined({"by signal ", std::to_string(WTERMSIG(status))});
    say(joined({"--on-lost ended ", how}));
  }
}

}  // namespace leasehold::cli
