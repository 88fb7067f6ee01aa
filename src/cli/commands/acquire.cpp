// Decides how a pipeline takes a lock that outlives the command: by a ticket, without renewal.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "commands/ticket.hpp"
#include "run/lock_options.hpp"

namespace leasehold::cli {

namespace {

lease take(invocation& call, store const& where, wanted_lock const& lock) {
  auto const& args = call.args();
  auto const notes = labels_of(args);
  std::vector<label> labels;
  labels.reserve(notes.size());
  for (auto const& [key, value] : notes) labels.push_back({key, value});
  acquire_options options;
  options.ttl = lock.ttl;
  options.mode = lock.mode;
  options.wait = wait_of(args);
  options.renew = renewal::manual;
  options.identity = args.get("identity");
  options.reason = args.get("reason");
  options.labels = labels;
  std::error_code ec;
  diagnostics details;
  auto held = where.acquire(lock.name, options, {}, ec, &details);
  if (ec == errc::timed_out) {
    auto const hint = joined({"see it:  leasehold show ", quoted_for_shell(lock.name), store_flag(call.choice())});
    throw problem{exit_code::busy, "LH-BUSY", busy_text(lock.name, details.holder()), hint};
  }
  if (ec) throw from_library(ec, details, joined({"acquiring ", printable(lock.name), " in ", call.choice().label}));
  return held;
}

int acquire(invocation& call) {
  auto const lock = wanted(call, call.word(0));
  if (!lock.ttl) {
    throw usage("acquire needs --ttl: nothing renews this lease, so it must end by itself",
                "leasehold run renews by itself: leasehold run --name NAME -- COMMAND");
  }
  auto const where = call.open_store();
  hand_out(call, take(call, where, lock), "acquire");
  return 0;
}

}  // namespace

command const acquire_command{.name = "acquire",
                              .summary = "take a lock without wrapping a command; prints a ticket",
                              .words = "NAME",
                              .words_min = 1,
                              .words_max = 1,
                              .options = shared_options,
                              .about =
                                  "For pipelines that cannot wrap one process. Nothing renews the lease: renew it "
                                  "before --ttl has passed, or it is "
                                  "gone. The ticket on stdout is a secret: who has it can renew and release.\n\n"
                                  "Example:\n"
                                  "  ticket=$(leasehold acquire deploy --ttl 10m)\n"
                                  "  …\n"
                                  "  leasehold release deploy --ticket \"$ticket\"",
                              .run = acquire};

}  // namespace leasehold::cli
