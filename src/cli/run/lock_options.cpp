// Decides what the flags that `run` and `acquire` share mean.
#include "run/lock_options.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "view/lock_view.hpp"
#include "view/wall_clock.hpp"

namespace leasehold::cli {

namespace {

problem refused_name(std::string_view name, failure const& why) {
  auto out = from_library(why.code, why.details);
  auto const shown = printable(name.substr(0, 40));
  out.message = joined({"lock name \"", shown, name.size() > 40 ? "…" : "", "\": ", out.message});
  return out;
}

}  // namespace

wanted_lock wanted(invocation& call, std::string_view name) {
  auto const& args = call.args();
  if (auto const ok = check_name(name); !ok) throw refused_name(name, ok.get_failure());
  wanted_lock out{std::string{name}, mode::exclusive(), args.get_duration("ttl")};
  auto const slots = args.get_number("slots", 1, mode::unbounded - 1);
  if (args.has("shared") && slots) throw usage("-s and --slots cannot be combined", "-s is without bound");
  if (args.has("shared")) {
    out.mode = mode::reader();
  } else if (slots) {
    out.mode = mode::semaphore(static_cast<std::uint32_t>(*slots));
  } else if (auto const configured = call.config().slots_of(name)) {
    out.mode = mode::semaphore(*configured);
  }
  if (!out.ttl) out.ttl = call.config().ttl_of(name);
  return out;
}

std::optional<duration> wait_of(arguments const& args) {
  if (args.has("nonblock") && args.has("wait")) throw usage("-n and -w cannot be combined", "-n is -w 0");
  if (args.has("nonblock")) return duration::zero();
  return args.get_duration("wait");
}

std::vector<std::pair<std::string, std::string>> labels_of(arguments const& args) {
  std::vector<std::pair<std::string, std::string>> out;
  for (auto label : args.all("label")) {
    auto const equals = label.find('=');
    if (equals == label.npos || equals == 0) {
      throw usage(joined({"--label is KEY=VALUE, not \"", printable(label), "\""}));
    }
    out.emplace_back(label.substr(0, equals), label.substr(equals + 1));
  }
  return out;
}

std::string busy_text(std::string_view name, holder_info const* holder) {
  auto text = joined({printable(name), " is busy"});
  if (holder == nullptr) return text;
  text += joined({": held by ", printable(holder_in_sentence(*holder))});
  if (holder->acquired_at) text += joined({" since ", time_of_day(*holder->acquired_at)});
  if (!holder->reason.empty()) text += joined({", \"", printable(holder->reason), "\""});
  return text;
}

std::string store_flag(store_choice const& store) {
  return store.origin.starts_with("flag") ? joined({" -S ", quoted_for_shell(store.label)}) : std::string{};
}

std::string quoted_for_shell(std::string_view word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@%+=,";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return std::string{word};
  std::string out = "'";
  for (char c : printable(word)) c == '\'' ? out.append("'\\''") : out.append(1, c);
  return out + "'";
}

}  // namespace leasehold::cli
