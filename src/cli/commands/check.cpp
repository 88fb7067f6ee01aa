// Decides how a job learns whether its lease is still good: it asks the supervisor, not the store.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "run/check_socket.hpp"
#include "view/json.hpp"

#include <cstdlib>

namespace leasehold::cli {

namespace {

int check(invocation& call) {
  auto const* address = std::getenv("LEASEHOLD_SOCKET");
  if (address == nullptr || *address == '\0') {
    throw usage("not inside a job of leasehold run: LEASEHOLD_SOCKET is not set",
                "leasehold run --name NAME -- COMMAND");
  }
  auto const answer = ask_check_socket(address);
  auto const state = json_value::parse(answer.value_or(""), nullptr, false);
  if (state.is_discarded()) {
    throw problem{exit_code::lost, "LH-LEASE-LOST", "the supervisor is gone, and the lease with it",
                  "stop what it protects"};
  }
  bool const held = state.value("held", false);
  auto const remaining = state.value("remaining_ms", json_value(nullptr));
  if (call.json_wanted()) {
    emit(one_line(state));
  } else if (!call.quiet() && held) {
    auto const text =
        remaining.is_number() ? in_words(std::chrono::milliseconds{remaining.get<std::int64_t>()}) : "no limit";
    emit(joined({text, "\n"}));
  }
  if (held) return exit_code::done;
  if (!call.quiet() && !call.json_wanted()) say("the lease is lost: stop what it protects [LH-LEASE-LOST]");
  return exit_code::lost;
}

}  // namespace

command const check_command{
    .name = "check",
    .summary = "inside a job: is my lease still good?",
    .words = "",
    .options = {},
    .about =
        "Exit code 0: yes, and stdout says for how long unless it is renewed (\"no limit\" for a lease without TTL). "
        "79: "
        "no. Asks the supervisor over LEASEHOLD_SOCKET; the store is not involved.\n\n"
        "Example:\n"
        "  leasehold run --name nightly -c 'for f in *; do leasehold check -q || exit 1; work \"$f\"; done'",
    .run = check};

}  // namespace leasehold::cli
