// Decides what is said of one lock: holders, line, and the commands that help.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "run/lock_options.hpp"
#include "view/json.hpp"
#include "view/lock_view.hpp"
#include "view/wall_clock.hpp"

#include <unistd.h>

namespace leasehold::cli {

namespace {

std::string line(std::string_view label, std::string_view text) {
  std::string const gap(label.size() < 10 ? 10 - label.size() : 1, ' ');
  return joined({"  ", label, gap, text, "\n"});
}

std::string describe(holder_info const& who) {
  auto out = line("holder", printable(holder_in_sentence(who)));
  if (who.token) out += line("  token", std::to_string(*who.token));
  if (who.acquired_at) out += line("  since", joined({time_of_day(*who.acquired_at), " (", held_for(who), ")"}));
  if (who.expires_at) {
    auto const ttl = who.ttl ? joined({", ttl ", in_units(*who.ttl)}) : std::string{};
    out += line("  until", joined({time_of_day(*who.expires_at), " (", expiry_in_words(who), ") unless renewed", ttl}));
  } else {
    out += line("  until", "released, or its process ends");
  }
  if (who.renewed_at) out += line("  renewed", joined({in_words(clock::now() - *who.renewed_at), " ago"}));
  if (!who.note.empty()) out += line("  note", joined({"\"", printable(who.note), "\""}));
  if (!who.reason.empty()) out += line("  reason", joined({"\"", printable(who.reason), "\""}));
  for (auto const& [key, value] : who.labels) out += line("  label", printable(joined({key, "=", value})));
  if (who.foreign) out += line("  note", "not a leasehold client");
  return out;
}

std::string describe_line(lock_info const& lock) {
  auto out = line("waiting", std::to_string(lock.waiters.size()));
  std::size_t shown = 0;
  for (auto const& who : lock.waiters) {
    if (++shown > 10) return out + line("", "…");
    auto const since = who.acquired_at ? joined({"  for ", held_for(who)}) : std::string{};
    out += line("", joined({std::to_string(shown), ". ", printable(holder_in_sentence(who)), since}));
  }
  return out;
}

std::string commands_for(invocation& call, lock_info const& lock) {
  auto const name = quoted_for_shell(lock.name);
  auto const flag = store_flag(call.choice());
  std::string out = "\n";
  out += line("wait", joined({"leasehold run -w 5m --name ", name, flag, " -- COMMAND"}));
  out += line("follow", joined({"leasehold watch ", name, flag}));
  if (!lock.holders.empty() && lock.holders.front().token) {
    auto const token = std::to_string(*lock.holders.front().token);
    out += line("break", joined({"leasehold break ", name, flag, " --token ", token, " --reason TEXT"}));
  }
  return out;
}

std::string describe(invocation& call, lock_info const& lock) {
  auto const state = state_cell(lock);
  auto out = joined({printable(lock.name), "  ", style{call, STDOUT_FILENO}.paint(state.colour, state.text), "  in ",
                     call.choice().label, "\n"});
  if (lock.free_at) out += line("free", joined({"at ", time_of_day(*lock.free_at), ", held by nobody until then"}));
  for (auto const& who : lock.holders) out += describe(who);
  out += describe_line(lock);
  return out + commands_for(call, lock);
}

int show(invocation& call) {
  auto const where = call.open_store();
  auto const lock = where.inspect(call.word(0));
  bool const is_free = lock.state == lock_state::free && lock.holders.empty();
  switch (call.output()) {
    case format::json:
    case format::ndjson:
      emit(one_line(to_json(lock, call.choice().label)));
      break;
    case format::name:
      emit(is_free ? "" : lock.name + "\n");
      break;
    case format::plain: {
      auto rows = lock_table(true);
      add_row(rows, lock, true);
      print(call, rows);
      break;
    }
    default:
      emit(is_free ? joined({printable(lock.name), " is free\n"}) : describe(call, lock));
  }
  return is_free ? exit_code::answered_no : exit_code::done;
}

}  // namespace

command const show_command{.name = "show",
                           .summary = "one lock: holders, token, expiry, line, and what you can do",
                           .words = "NAME",
                           .words_min = 1,
                           .words_max = 1,
                           .options = {},
                           .about = "Exit code 1: the name is free.",
                           .run = show};

}  // namespace leasehold::cli
