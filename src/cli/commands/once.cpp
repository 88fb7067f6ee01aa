// Decides what `leasehold once` takes.
#include "commands/all.hpp"
#include "run/front.hpp"
#include "run/plan.hpp"

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"key", 0, "KEY", "what is done once; also the name of the lock held meanwhile"},
    {"window", 0, "DUR", "how long it then counts as done: 1ms to 366d"},
    {"nonblock", 'n', "", "do not wait for another attempt: exit 75 if there is one"},
    {"wait", 'w', "DUR", "wait at most this long for another attempt (default: without bound)"},
    {"ttl", 0, "DUR", "what the store grants at a time; renewed while the job runs (local: needs none)"},
    {"busy-exit-code", 'E', "CODE", "exit code when another attempt runs (default: 75)"},
    {"command", 'c', "LINE", "run this line with /bin/sh instead of -- COMMAND"},
    {"max-runtime", 0, "DUR", "stop the job after this long; exit 124"},
    {"kill-after", 0, "DUR", "from TERM to KILL when a job is stopped (default: 5s; less when the lease ends sooner)"},
    {"identity", 0, "NAME", "who does it, for others to see (default: host/pid)"},
    {"label", 0, "K=V", "a note for others to see; may be repeated"},
    {"reason", 0, "TEXT", "why it is done, for others to see"},
};

int once(invocation& call) { return run_as_front(make_once_plan(call)); }

}  // namespace

command const once_command{
    .name = "once",
    .summary = "run a command unless it was completed within a window",
    .words = "--key KEY --window DUR",
    .takes_job = true,
    .options = options,
    .about =
        "Runs the command while holding the lock KEY, and records that it is done when it ends with 0: the next calls "
        "with this key, on any machine that shares the store, run nothing, print what the command wrote to stdout, and "
        "exit 0, until the window is over. A command that fails is not recorded, and its exit code is passed on.\n\n"
        "The command may run more than once: after a crash, or when its lease was lost before the end was recorded "
        "(79), "
        "the next call runs it again. So it should be one that may be repeated.\n\n"
        "Its stdout is printed when it has ended. What is longer than the store keeps (local: 4 KiB, redis: 64 KiB) is "
        "cut "
        "in the record, which then says so in its last line. local: forgets what is done when the machine restarts.\n\n"
        "Examples:\n"
        "  leasehold once --key report/2026-11 --window 30d -- ./report.sh\n"
        "  leasehold once -n --key migrate/7 --window 366d -S redis://db1 -- ./migrate 7",
    .run = once};

}  // namespace leasehold::cli
