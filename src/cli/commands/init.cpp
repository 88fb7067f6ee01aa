// Decides how a fresh or repaired store is declared empty.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"

namespace leasehold::cli {

namespace {

int init(invocation& call) {
  auto const& words = call.args().words;
  auto const choice = words.empty() ? call.choice() : call.config().resolve_store(words.front(), "operand");
  auto const done = initialize(choice.url, std::nothrow);
  if (!done) throw from_library(done.error(), done.get_failure().details, joined({"initializing ", choice.label}));
  auto out = document("init");
  out["store"] = choice.label;
  if (call.json_wanted()) emit(one_line(out));
  if (!call.json_wanted() && call.verbose()) say(joined({choice.label, " is ready"}));
  return 0;
}

}  // namespace

command const init_command{.name = "init",
                           .summary = "assert that nothing is held on a fresh or repaired store",
                           .words = "[NAME|URL]",
                           .words_max = 1,
                           .options = {},
                           .about =
                               "Creates what the store needs. Idempotent; never erases a store in use. Without an "
                               "operand: the default store.\n\n"
                               "Example:\n"
                               "  leasehold init local:/var/lib/app/locks",
                           .run = init};

}  // namespace leasehold::cli
