// Decides what `leasehold run` takes, and what --dry-run shows.
#include "base/durations.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "run/front.hpp"
#include "run/lock_options.hpp"
#include "view/json.hpp"
#include "view/lock_view.hpp"

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"name", 0, "NAME", "the lock; repeated: all of them or none, in sorted order"},
    {"nonblock", 'n', "", "do not wait: exit 75 if it is busy"},
    {"wait", 'w', "DUR", "wait at most this long (default: without bound)"},
    {"shared", 's', "", "hold it together with other readers"},
    {"slots", 0, "K", "hold one of K permits; every user of the name must agree on K"},
    {"ttl", 0, "DUR", "what the store grants at a time; renewed while the job runs (local: needs none)"},
    {"busy-exit-code", 'E', "CODE", "exit code when it is busy (default: 75)"},
    {"command", 'c', "LINE", "run this line with /bin/sh instead of -- COMMAND"},
    {"hold-at-least", 0, "DUR", "keep the name busy this long even if the job ends sooner"},
    {"max-runtime", 0, "DUR", "stop the job after this long; exit 124"},
    {"kill-after", 0, "DUR", "from TERM to KILL when a job is stopped (default: 5s; less when the lease ends sooner)"},
    {"on-lost", 0, "WHAT", "what a lost lease means for the job (default: term)", "term|kill|ignore"},
    {"lost-exit-code", 0, "CODE", "exit code when the lease was lost (default: 79)"},
    {"wait-tree", 0, "", "hold until every descendant is gone, not only the job's process group"},
    {"identity", 0, "NAME", "who holds it, for others to see (default: host/pid)"},
    {"label", 0, "K=V", "a note for others to see; may be repeated"},
    {"reason", 0, "TEXT", "why it is held, for others to see"},
    {"status-file", 0, "FILE", "write one JSON object there: how it went, beyond doubt"},
    {"status-fd", 0, "N", "the same, to an open descriptor"},
    {"dry-run", 0, "", "say what would be done, and do nothing"},
};

std::string wait_in_words(run_plan const& plan) {
  if (!plan.wait) return "without bound";
  return *plan.wait == duration::zero() ? "not at all" : joined({"at most ", in_words(*plan.wait)});
}

std::string command_line(run_plan const& plan) {
  std::vector<std::string> words;
  for (auto const& word : plan.job) words.push_back(quoted_for_shell(word));
  return joined(words, " ");
}

int dry_run(invocation& call, run_plan const& plan) {
  auto const where = call.open_store();
  auto document_out = document("dry_run");
  document_out["store"] = plan.store.label;
  document_out["wait_ms"] = plan.wait ? json_value(in_ms(*plan.wait)) : json_value(nullptr);
  document_out["command"] = plan.job;
  document_out["locks"] = json_value::array();
  auto text = joined({"would wait ", wait_in_words(plan), " in ", plan.store.label, " for\n"});
  for (auto const& lock : plan.locks) {
    auto const now = where.inspect(lock.name);
    auto const ttl = lock.ttl ? joined({", ttl ", in_units(*lock.ttl)}) : std::string{};
    text += joined({"  ", printable(lock.name), "  ", mode_word(lock.mode), ttl, "; now ", state_cell(now).text, "\n"});
    document_out["locks"].push_back({{"name", lock.name},
                                     {"mode", mode_word(lock.mode)},
                                     {"ttl_ms", lock.ttl ? json_value(in_ms(*lock.ttl)) : json_value(nullptr)},
                                     {"now", state_word(now)}});
  }
  emit(call.json_wanted() ? one_line(document_out) : joined({text, "then run ", command_line(plan), "\n"}));
  return 0;
}

int run(invocation& call) {
  auto const plan = make_plan(call);
  return plan.dry_run ? dry_run(call, plan) : run_as_front(plan);
}

}  // namespace

command const run_command{
    .name = "run",
    .summary = "run a command while holding a lock",
    .words = "--name NAME",
    .takes_job = true,
    .options = options,
    .about =
        "Takes the lock, runs the command, gives the lock back when the command's whole process group is gone. Waits "
        "in "
        "line without bound unless -n or -w says otherwise. The exit code is the command's own; 75 means busy, 79 that "
        "the "
        "lease was lost and the job stopped (leasehold help exit-codes). The job finds LEASEHOLD_NAME, _TOKEN, _STORE, "
        "_HOLDER, _TTL_MS and _SOCKET in its environment.\n\n"
        "After leasehold break the job gets TERM at once (redis: by the next renewal), and KILL before the deadline "
        "or, without a TTL, after one "
        "and "
        "a half seconds; the name stays busy until then, and for two seconds at least, unless it was broken with "
        "--now. It also stays busy for two seconds when the holder is killed.\n\n"
        "Examples:\n"
        "  leasehold run --name nightly -- ./report.sh          wait in line, then run\n"
        "  leasehold run -n --name nightly -- ./report.sh       skip if another one runs (cron)\n"
        "  leasehold run -w 5m --name deploy -c 'make && make install'\n"
        "  leasehold run --slots 3 --name encode -- ffmpeg …    at most three at a time",
    .run = run};

}  // namespace leasehold::cli
