// Decides what the flags that `run` and `acquire` share mean: mode, TTL, wait, labels.
#pragma once

#include "run/plan.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::cli {

/// The options behind these functions, for the tables of `run` and `acquire`.
inline constexpr option shared_options[] = {
    {"nonblock", 'n', "", "do not wait: exit 75 if it is busy"},
    {"wait", 'w', "DUR", "wait at most this long (default: without bound)"},
    {"shared", 's', "", "hold it together with other readers"},
    {"slots", 0, "K", "hold one of K permits; every user of the name must agree on K"},
    {"ttl", 0, "DUR", "what the store grants at a time"},
    {"identity", 0, "NAME", "who holds it, for others to see (default: host/pid)"},
    {"label", 0, "K=V", "a note for others to see; may be repeated"},
    {"reason", 0, "TEXT", "why it is held, for others to see"},
};

/// `name`, checked, with the mode and TTL of flags and configuration. Throws `problem` (64).
[[nodiscard]] wanted_lock wanted(invocation& call, std::string_view name);
/// -n is 0; absent: without bound.
[[nodiscard]] std::optional<duration> wait_of(arguments const& args);
[[nodiscard]] std::vector<std::pair<std::string, std::string>> labels_of(arguments const& args);

/// "leasehold run": the busy message's first line and its hint.
[[nodiscard]] std::string busy_text(std::string_view name, holder_info const* holder);
/// " -S name" when the store was chosen by hand, for hints that can be pasted.
[[nodiscard]] std::string store_flag(store_choice const& store);
[[nodiscard]] std::string quoted_for_shell(std::string_view word);

}  // namespace leasehold::cli
