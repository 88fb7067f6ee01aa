// Decides how an operator takes a lock away: seen, named, token unchanged, audited, and not before the old TTL has run out.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"
#include "view/lock_view.hpp"
#include "view/wall_clock.hpp"

#include <unistd.h>

#include <algorithm>

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"token", 0, "T", "the holder's fencing token, as leasehold show prints it"},
    {"reason", 0, "TEXT", "why; kept for whoever asks later (required)"},
    {"yes", 0, "", "do not ask; needs --token"},
    {"now", 0, "", "free the name at once, although the old holder may still be at work"},
};

problem moved(std::string_view name, std::string_view detail) {
  return {exit_code::answered_no, "LH-TOKEN-MOVED", joined({printable(name), detail}),
          joined({"leasehold show ", printable(name)})};
}

holder_info const& victim(lock_info const& lock, std::optional<std::uint64_t> token) {
  if (lock.holders.empty()) throw moved(lock.name, " is held by nobody: there is nothing to break");
  if (!token) {
    if (lock.holders.size() > 1)
      throw usage("it has several holders: say which with --token", "leasehold show shows them");
    return lock.holders.front();
  }
  auto const it =
      std::find_if(lock.holders.begin(), lock.holders.end(), [&](auto const& who) { return who.token == *token; });
  if (it == lock.holders.end()) {
    throw moved(lock.name, joined({" is no longer held with token ", std::to_string(*token), ": nothing was done"}));
  }
  return *it;
}

std::string read_line() {
  std::string out;
  char c = 0;
  while (::read(STDIN_FILENO, &c, 1) == 1 && c != '\n') out += c;
  return out;
}

/// Types the name or changes his mind.
bool confirmed(invocation& call, lock_info const& lock, holder_info const& who) {
  say(joined({printable(lock.name), " is held by ", printable(holder_in_sentence(who)), " for ", held_for(who),
              ", token ", who.token ? std::to_string(*who.token) : std::string{"unknown"}}));
  if (who.renewed_at) say(joined({"last heard of ", in_words(clock::now() - *who.renewed_at), " ago"}));
  say(call.args().has("now") ? "--now: the next holder may start while this one still runs"
      : who.expires_at       ? "the name stays busy until the old lease has run out"
                             : "the name stays busy for the lock delay its holder asked for, if any");
  say(joined({"type the lock's name to break it: "}));
  return read_line() == lock.name;
}

int break_it(invocation& call) {
  auto const& args = call.args();
  auto const token = args.get_number("token", 0, UINT64_MAX);
  if (args.has("yes") && !token) throw usage("--yes needs --token", "leasehold show NAME prints it");
  if (args.get("reason").empty())
    throw usage("--reason is required", "it is shown to whoever asks why the lock was taken");
  if (!args.has("yes") && !call.may_ask()) {
    throw usage("nobody to ask: --yes and --token are needed without a terminal",
                "leasehold show NAME prints the token");
  }
  auto const where = call.open_store();
  auto const lock = where.inspect(call.word(0));
  auto const who = victim(lock, token);
  if (!who.token)
    throw problem{exit_code::usage, "LH-UNSUPPORTED", "this holder has no token, so it cannot be named", {}};
  if (!args.has("yes") && !confirmed(call, lock, who)) {
    say("not confirmed: nothing was done");
    return exit_code::answered_no;
  }
  auto const done =
      where.evict(lock.name, *who.token, {.reason = args.get("reason"), .now = args.has("now")}, std::nothrow);
  if (!done && done.error() == errc::not_owner)
    throw moved(lock.name, " has changed hands meanwhile: nothing was done");
  done.value();
  auto const after = where.inspect(lock.name);
  if (call.json_wanted()) {
    auto out = document("break");
    out["name"] = lock.name;
    out["token"] = *who.token;
    out["free_in_ms"] = after.free_at ? json_value(in_ms(*after.free_at - clock::now())) : json_value(nullptr);
    emit(one_line(out));
  } else if (!call.quiet()) {
    auto const until =
        after.free_at ? joined({"; the name stays busy until ", time_of_day(*after.free_at)}) : std::string{};
    say(joined({"took ", printable(lock.name), " from ", printable(holder_in_sentence(who)), ", token ",
                std::to_string(*who.token), " is fenced", until}));
  }
  return exit_code::done;
}

}  // namespace

command const break_command{
    .name = "break",
    .summary = "take a lock away from its holder",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .options = options,
    .about =
        "Asks you to type the name. In scripts: --token, --yes and --reason. Refused (1) when the token has changed: "
        "then "
        "somebody else holds it by now.\n\n"
        "The holder learns of it at once (redis: by its next renewal), and its token is fenced. The name stays busy "
        "until the TTL last granted has "
        "passed, because the holder may go on believing in its lease until then, and for the lock delay the holder "
        "asked for: leasehold run asks for two seconds, and kills its job within them. A program that asked for "
        "neither loses the name at once. --now skips both: the next holder may begin while the old one is still being "
        "stopped.",
    .run = break_it};

}  // namespace leasehold::cli
