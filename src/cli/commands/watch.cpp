// Decides what counts as an event of a lock seen from outside: the difference between two looks at the store.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "run/lock_options.hpp"
#include "view/json.hpp"
#include "view/lock_view.hpp"
#include "view/wall_clock.hpp"

#include <time.h>

#include <algorithm>
#include <map>

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"until", 0, "STATE", "end (0) as soon as NAME is in this state", "free|held"},
    {"wait", 'w', "DUR", "with --until: give up after this long (75)"},
    {"interval", 0, "DUR", "how often to look (default: 500ms)"},
};

using picture = std::map<std::string, lock_info>;

struct change {
  std::string_view what;  ///< acquired, released, overdue, waiting, free, held (the first look)
  lock_info const* lock;
  holder_info const* holder;
};

bool same(holder_info const& a, holder_info const& b) { return a.token == b.token && a.identity == b.identity; }

bool has(lock_info const& lock, holder_info const& who) {
  return std::any_of(lock.holders.begin(), lock.holders.end(), [&](auto const& each) { return same(each, who); });
}

void compare(lock_info const& before, lock_info const& now, std::vector<change>& out) {
  for (auto const& who : before.holders) {
    if (!has(now, who)) out.push_back({"released", &before, &who});
  }
  for (auto const& who : now.holders) {
    if (!has(before, who)) out.push_back({"acquired", &now, &who});
  }
  bool const late = now.state == lock_state::overdue && before.state != lock_state::overdue;
  if (late && !now.holders.empty()) out.push_back({"overdue", &now, &now.holders.front()});
  if (now.waiters.size() != before.waiters.size()) out.push_back({"waiting", &now, nullptr});
}

std::vector<change> differences(picture const& before, picture const& now, lock_info const& nothing) {
  std::vector<change> out;
  for (auto const& [name, lock] : before) {
    if (now.contains(name)) continue;
    for (auto const& who : lock.holders) out.push_back({"released", &lock, &who});
  }
  for (auto const& [name, lock] : now) {
    auto const it = before.find(name);
    compare(it == before.end() ? nothing : it->second, lock, out);
  }
  return out;
}

void tell(invocation& call, change const& c) {
  auto const& lock = *c.lock;
  if (call.json_wanted()) {
    auto out = document("event");
    out["at"] = iso_utc(clock::now());
    out["event"] = c.what;
    out["name"] = lock.name;
    out["store"] = call.choice().label;
    out["holder"] = c.holder != nullptr ? to_json(*c.holder) : json_value(nullptr);
    out["waiters"] = lock.waiters.size();
    return emit(one_line(out));
  }
  auto const who = c.holder != nullptr ? printable(holder_in_sentence(*c.holder))
                                       : joined({std::to_string(lock.waiters.size()), " in line"});
  auto const token = c.holder != nullptr && c.holder->token ? std::to_string(*c.holder->token) : std::string{};
  if (call.output() == format::plain) {
    return emit(
        joined({iso_utc(clock::now()), "\t", c.what, "\t", printable(lock.name), "\t", who, "\t", token, "\n"}));
  }
  if (call.output() == format::name) return emit(lock.name + "\n");
  emit(joined({time_of_day(clock::now()), "  ", c.what, std::string(9 - c.what.size(), ' '), printable(lock.name), "  ",
               who, token.empty() ? "" : ", token ", token, "\n"}));
}

void pause_for(duration span) {
  timespec const left{static_cast<time_t>(span / std::chrono::seconds{1}),
                      static_cast<long>((span % std::chrono::seconds{1}).count())};
  ::nanosleep(&left, nullptr);
}

picture look(store const& where, std::string_view prefix, bool exactly) {
  picture out;
  if (exactly) {
    auto lock = where.inspect(prefix);
    out.emplace(lock.name, std::move(lock));
    return out;
  }
  for (auto& lock : where.list(prefix)) {
    auto name = lock.name;
    out.emplace(std::move(name), std::move(lock));
  }
  return out;
}

bool reached(picture const& now, std::string_view state) {
  bool const held = !now.empty() && !now.begin()->second.holders.empty();
  bool const is_free = !now.empty() && now.begin()->second.state == lock_state::free && !held;
  return state == "held" ? held : is_free;
}

int watch(invocation& call) {
  auto const& args = call.args();
  auto const until = args.get("until");
  auto const wait = args.get_duration("wait");
  auto const interval = std::max<duration>(args.get_duration("interval").value_or(std::chrono::milliseconds{500}),
                                           std::chrono::milliseconds{10});
  if (!until.empty() && args.words.empty()) throw usage("--until needs a NAME");
  if (wait && until.empty()) throw usage("-w needs --until");
  auto const prefix = args.words.empty() ? std::string_view{} : args.words.front();
  auto const where = call.open_store();
  auto const give_up = wait ? clock::now() + *wait : time_point::max();
  lock_info const nothing;
  picture before;
  while (true) {
    auto now = look(where, prefix, !until.empty());
    for (auto const& c : differences(before, now, nothing)) {
      if (!call.quiet()) tell(call, c);
    }
    if (!until.empty() && reached(now, until)) return exit_code::done;
    auto const left = give_up - clock::now();
    if (left <= duration::zero()) {
      throw problem{
          exit_code::busy, "LH-BUSY", joined({printable(prefix), " is not ", until, " after ", in_words(*wait)}), {}};
    }
    before = std::move(now);
    pause_for(std::min(interval, left));
  }
}

}  // namespace

command const watch_command{.name = "watch",
                            .summary = "follow what happens to locks",
                            .words = "[NAME|PREFIX]",
                            .words_max = 1,
                            .options = options,
                            .about =
                                "One line an event: acquired, released, overdue, waiting. It looks at the store every "
                                "--interval, so what begins "
                                "and ends between two looks is not seen. With -o json or ndjson one object a line.\n\n"
                                "Examples:\n"
                                "  leasehold watch billing/\n"
                                "  leasehold watch deploy --until free -w 10m && ./deploy.sh",
                            .run = watch};

}  // namespace leasehold::cli
