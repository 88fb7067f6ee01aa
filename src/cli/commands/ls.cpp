// Decides which locks are listed and in which order.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"
#include "view/lock_view.hpp"

#include <unistd.h>

#include <algorithm>

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"state", 0, "STATE", "only these: held, with somebody waiting, or past their time", "held|waiting|overdue"},
    {"holder", 0, "H", "only locks whose holder's identity, host or user contains this"},
    {"sort", 0, "BY", "by name, or the longest held first (default: name)", "name|held"},
};

bool in_state(lock_info const& lock, std::string_view state) {
  if (state == "held") return !lock.holders.empty();
  if (state == "waiting") return !lock.waiters.empty();
  return state.empty() || lock.state == lock_state::overdue;
}

bool has_holder(lock_info const& lock, std::string_view part) {
  auto const names = [&](holder_info const& who) {
    return who.identity.find(part) != std::string::npos || who.host.find(part) != std::string::npos ||
           who.user.find(part) != std::string::npos;
  };
  return part.empty() || std::any_of(lock.holders.begin(), lock.holders.end(), names);
}

time_point held_since(lock_info const& lock) {
  auto since = time_point::max();
  for (auto const& who : lock.holders) since = std::min(since, who.acquired_at.value_or(time_point::max()));
  return since;
}

std::vector<lock_info> wanted_locks(invocation& call, store const& where) {
  auto const& args = call.args();
  auto locks = where.list(args.words.empty() ? std::string_view{} : args.words.front());
  std::erase_if(locks, [&](lock_info const& lock) {
    return !in_state(lock, args.get("state")) || !has_holder(lock, args.get("holder"));
  });
  if (args.get("sort") == "held") {
    std::stable_sort(locks.begin(), locks.end(),
                     [](lock_info const& a, lock_info const& b) { return held_since(a) < held_since(b); });
  }
  return locks;
}

/// "3 locks in redis-main, 1 needs a look: leasehold show nightly": for people, so on stderr and only on a terminal.
void summarize(invocation& call, std::vector<lock_info> const& locks) {
  if (call.quiet() || ::isatty(STDOUT_FILENO) != 1) return;
  auto const overdue = [](lock_info const& lock) { return lock.state == lock_state::overdue; };
  auto const late = std::count_if(locks.begin(), locks.end(), overdue);
  auto text =
      joined({std::to_string(locks.size()), locks.size() == 1 ? " lock in " : " locks in ", call.choice().label});
  if (late > 0) {
    auto const first = std::find_if(locks.begin(), locks.end(), overdue);
    text += joined({", ", std::to_string(late), late == 1 ? " needs" : " need", " a look: leasehold show ",
                    printable(first->name)});
  }
  say(text);
}

int ls(invocation& call) {
  auto const where = call.open_store();
  auto const locks = wanted_locks(call, where);
  auto const format = call.output();
  auto const& label = call.choice().label;
  if (format == format::name) {
    for (auto const& lock : locks) emit(lock.name + "\n");
  } else if (format == format::ndjson) {
    for (auto const& lock : locks) emit(one_line(to_json(lock, label)));
  } else if (format == format::json) {
    auto out = document("lock_list");
    out["store"] = label;
    out["items"] = json_value::array();
    for (auto const& lock : locks) out["items"].push_back(to_json(lock, label));
    emit(one_line(out));
  } else {
    auto rows = lock_table(format == format::wide);
    for (auto const& lock : locks) add_row(rows, lock, format == format::wide);
    if (!rows.empty() || format == format::plain) print(call, rows);
    if (format != format::plain) summarize(call, locks);
  }
  return 0;
}

}  // namespace

command const ls_command{
    .name = "ls",
    .summary = "list the locks that are held or waited for",
    .words = "[PREFIX]",
    .words_max = 1,
    .options = options,
    .about =
        "One line a lock: who holds it, since when, until when unless it is renewed, how many wait, and its fencing "
        "token. OVERDUE: a holder past its time whom nobody has replaced yet.\n\n"
        "Examples:\n"
        "  leasehold ls billing/\n"
        "  leasehold ls --state waiting -o name",
    .run = ls};

}  // namespace leasehold::cli
