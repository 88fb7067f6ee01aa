// Decides what `leasehold elect` takes, and what a follower sees.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "run/front.hpp"
#include "view/json.hpp"
#include "view/wall_clock.hpp"

#include <leasehold/election.hpp>

#include <algorithm>

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"on-elected", 0, "LINE", "run this line with /bin/sh first when elected; if it fails, resign"},
    {"on-lost", 0, "LINE", "run this line with /bin/sh after the job of a lost term is gone (10s at most)"},
    {"one-term", 0, "", "end (79) when the term is lost, instead of standing again"},
    {"ttl", 0, "DUR", "a leader that is silent for this long is succeeded (local: needs none)"},
    {"minimum-term", 0, "DUR", "keep the place empty this long if the leader resigns sooner"},
    {"kill-after", 0, "DUR", "from TERM to KILL when a job is stopped (default: 5s; less when the term ends sooner)"},
    {"lost-exit-code", 0, "CODE", "with --one-term: exit code when the term was lost (default: 79)"},
    {"wait-tree", 0, "", "lead until every descendant is gone, not only the job's process group"},
    {"identity", 0, "NAME", "who leads, for others to see (default: host/pid)"},
    {"label", 0, "K=V", "a note for others to see; may be repeated"},
    {"reason", 0, "TEXT", "why it leads, for others to see"},
    {"status-file", 0, "FILE", "write one JSON object there at the end: how the last term went"},
    {"status-fd", 0, "N", "the same, to an open descriptor"},
    {"observe", 0, "", "do not stand: print who leads, and each change, until stopped"},
    {"interval", 0, "DUR", "with --observe: how often to look (default: 500ms)"},
};

void tell(invocation& call, std::optional<leader_info> const& now) {
  auto const name = printable(call.word(0));
  auto const who = now ? printable(now->identity) : std::string{};
  auto const term = now && now->term ? std::to_string(*now->term) : std::string{};
  if (call.json_wanted()) {
    auto out = document("leader");
    out["at"] = iso_utc(clock::now());
    out["name"] = call.word(0);
    out["store"] = call.choice().label;
    out["leader"] = nullptr;
    if (now)
      out["leader"] = {{"identity", now->identity}, {"term", now->term ? json_value(*now->term) : json_value(nullptr)}};
    return emit(one_line(out));
  }
  auto const what = now ? "leader" : "none";
  if (call.output() == format::name) return emit(who + "\n");
  if (call.output() == format::plain)
    return emit(joined({iso_utc(clock::now()), "\t", what, "\t", name, "\t", who, "\t", term, "\n"}));
  if (!now) return emit(joined({time_of_day(clock::now()), "  none    ", name, "\n"}));
  emit(joined({time_of_day(clock::now()), "  leader  ", name, "  ", who, term.empty() ? "" : ", term ", term, "\n"}));
}

int observe(invocation& call) {
  auto const& args = call.args();
  if (args.job != nullptr || args.has("on-elected") || args.has("on-lost")) {
    throw usage("--observe does not stand: it runs nothing",
                joined({"leasehold elect ", printable(call.word(0)), " --observe"}));
  }
  auto const interval = std::max<duration>(args.get_duration("interval").value_or(std::chrono::milliseconds{500}),
                                           std::chrono::milliseconds{10});
  election const place{call.open_store(), call.word(0)};
  place.observe([&](auto const& now) { tell(call, now); }, {}, interval);
  return 0;
}

int elect(invocation& call) {
  if (call.args().has("observe")) return observe(call);
  if (call.args().has("interval")) throw usage("--interval needs --observe");
  return run_as_front(make_candidacy(call));
}

}  // namespace

command const elect_command{
    .name = "elect",
    .summary = "stand for election, and run a command while leading",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .takes_job = true,
    .options = options,
    .about =
        "Stands for NAME, without bound. When elected, runs --on-elected and then the command, under the same "
        "supervision as leasehold run: the job is gone before another candidate can lead. When the command ends, "
        "the leader resigns, and its exit code is the command's. When the term is lost, the job is stopped, --on-lost "
        "runs, and the candidate stands again. Without a command it leads until it is stopped or the term is "
        "lost.\n\n"
        "The job finds the term's number in LEASEHOLD_TOKEN: hand it to whatever the leader writes to, which refuses "
        "lower "
        "ones. The place is a lock: leasehold show NAME names the leader, leasehold break NAME deposes it.\n\n"
        "Examples:\n"
        "  leasehold elect scheduler -- ./scheduler --foreground\n"
        "  leasehold elect vip --ttl 15s --on-elected './vip up' --on-lost './vip down'\n"
        "  leasehold elect scheduler --observe",
    .run = elect};

}  // namespace leasehold::cli
