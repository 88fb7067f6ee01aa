// Decides what one `leasehold run` was asked to do.
#include "run/plan.hpp"

#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/lock_options.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace leasehold::cli {

namespace {

constexpr auto run_usage = "leasehold run --name NAME -- COMMAND [ARGUMENT…]";
constexpr auto once_usage = "leasehold once --key KEY --window DUR -- COMMAND [ARGUMENT…]";

std::vector<std::string> job_of(invocation& call) {
  auto const& args = call.args();
  bool const is_once = call.what().name == "once";
  bool const has_shell_line = args.has("command");
  bool const has_job = args.job != nullptr && *args.job != nullptr;
  if (has_shell_line && has_job) throw usage("give either -c 'shell line' or -- COMMAND, not both");
  if (has_shell_line) return {"/bin/sh", "-c", std::string{args.get("command")}};
  if (!has_job) throw usage("no command to run", is_once ? once_usage : run_usage);
  std::vector<std::string> out;
  for (char** word = args.job; *word != nullptr; ++word) out.emplace_back(*word);
  return out;
}

std::vector<wanted_lock> locks_of(invocation& call) {
  auto const& args = call.args();
  std::vector<wanted_lock> out;
  for (auto name : args.all("name")) out.push_back(wanted(call, name));
  if (out.empty()) throw usage("no lock's name", run_usage);
  std::sort(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
  out.erase(std::unique(out.begin(), out.end(), [](auto const& a, auto const& b) { return a.name == b.name; }),
            out.end());
  return out;
}

int exit_code_of(arguments const& args, std::string_view flag, int otherwise) {
  auto const given = args.get_number(flag, 0, 255);
  return given ? static_cast<int>(*given) : otherwise;
}

int status_descriptor(arguments const& args) {
  auto const given = args.get_number("status-fd", 0, 1 << 20);
  if (!given) return -1;
  int const fd = static_cast<int>(*given);
  if (::fcntl(fd, F_GETFD) < 0) throw usage(joined({"--status-fd ", std::to_string(fd), " is not open"}));
  if (fd > STDERR_FILENO) ::fcntl(fd, F_SETFD, FD_CLOEXEC);  // ours, not the job's
  return fd;
}

/// What a leader does: first the line of --on-elected, which can refuse the office, then the command. All of it is one job: it has the lease's
/// protection, and is gone before the lease is given back.
std::vector<std::string> leaders_job(arguments const& args) {
  std::string const line{args.get("on-elected")};
  std::vector<std::string> command{"sleep", "infinity"};
  if (args.job != nullptr && *args.job != nullptr) {
    command.clear();
    for (char** word = args.job; *word != nullptr; ++word) command.emplace_back(*word);
    if (line.empty()) return command;
  } else if (line.empty() && !args.has("on-lost")) {
    throw usage("nothing to do when elected",
                "leasehold elect NAME -- COMMAND [ARGUMENT…], or --on-elected, --on-lost, --observe");
  }
  std::vector<std::string> out{"/bin/sh", "-c", joined({"(\n", line.empty() ? ":" : line, "\n) || exit\nexec \"$@\""}),
                               "sh"};
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

/// What `run`, `once` and `elect` have in common.
run_plan common_plan(invocation& call) {
  auto const& args = call.args();
  run_plan plan;
  plan.kill_after = args.get_duration("kill-after").value_or(plan.kill_after);
  plan.identity = args.get("identity");
  plan.reason = args.get("reason");
  plan.labels = labels_of(args);
  plan.quiet = call.quiet();
  plan.verbose = call.verbose();
  plan.json = call.json_wanted();
  plan.store = call.choice();
  plan.open = call.open_options();
  return plan;
}

/// What `run` and `once` have in common besides.
run_plan plan_with_job(invocation& call) {
  auto const& args = call.args();
  auto job = job_of(call);
  auto plan = common_plan(call);
  plan.job = std::move(job);
  plan.wait = wait_of(args);
  plan.max_runtime = args.get_duration("max-runtime");
  if (plan.max_runtime == duration::zero()) throw usage("--max-runtime 0 would stop every job at once");
  plan.busy_exit_code = exit_code_of(args, "busy-exit-code", exit_code::busy);
  return plan;
}

/// What `run` and `elect` have in common besides.
void add_report(arguments const& args, run_plan& plan) {
  plan.lost_exit_code = exit_code_of(args, "lost-exit-code", exit_code::lost);
  plan.wait_tree = args.has("wait-tree");
  plan.status_file = args.get("status-file");
  plan.status_fd = status_descriptor(args);
}

}  // namespace

run_plan make_plan(invocation& call) {
  auto const& args = call.args();
  auto plan = plan_with_job(call);
  plan.locks = locks_of(call);
  plan.hold_at_least = args.get_duration("hold-at-least").value_or(duration::zero());
  if (auto const word = args.get("on-lost"); word == "kill") plan.on_lost = on_lost::kill;
  if (auto const word = args.get("on-lost"); word == "ignore") plan.on_lost = on_lost::ignore;
  add_report(args, plan);
  plan.dry_run = args.has("dry-run");
  return plan;
}

run_plan make_once_plan(invocation& call) {
  auto const& args = call.args();
  auto plan = plan_with_job(call);
  if (!args.has("key")) throw usage("no key", once_usage);
  plan.locks.push_back(wanted(call, args.get("key")));
  if (!plan.locks.front().mode.is_exclusive()) {
    throw bad_config(joined({"the configuration makes a semaphore of ", names_of(plan)}), "use another key");
  }
  plan.once_window = args.get_duration("window");
  if (!plan.once_window) throw usage("no window: how long shall it count as done?", once_usage);
  if (*plan.once_window < std::chrono::milliseconds{1} || *plan.once_window > std::chrono::hours{24 * 366}) {
    throw usage(joined({"--window ", args.get("window"), " is out of range"}), "1ms to 366d");
  }
  return plan;
}

run_plan make_candidacy(invocation& call) {
  auto const& args = call.args();
  auto plan = common_plan(call);
  plan.job = leaders_job(args);
  add_report(args, plan);
  plan.locks = {wanted(call, call.word(0))};
  plan.locks.front().mode = mode::exclusive();
  plan.hold_at_least = args.get_duration("minimum-term").value_or(duration::zero());
  plan.candidate = true;
  plan.stand_again = !args.has("one-term");
  plan.on_lost_line = args.get("on-lost");
  return plan;
}

std::string names_of(run_plan const& plan) {
  std::vector<std::string> names;
  for (auto const& lock : plan.locks) names.push_back(printable(lock.name));
  return joined(names, ", ");
}

}  // namespace leasehold::cli
