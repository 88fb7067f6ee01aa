// Decides how a lock is described: the words for its state and holder, its table row, its JSON.
#pragma once

#include "view/json.hpp"
#include "view/table.hpp"

#include <leasehold/info.hpp>

#include <string>
#include <string_view>

namespace leasehold::cli {

/// "free", "held", "held off", "OVERDUE", "2 of 3".
[[nodiscard]] cell state_cell(lock_info const& lock);
/// For JSON and --state: "free", "held", "held_off", "overdue".
[[nodiscard]] std::string_view state_word(lock_info const& lock);
[[nodiscard]] std::string_view mode_word(mode m);

/// "batch-1 pid 977", or its own name when it chose one.
[[nodiscard]] std::string holder_name(holder_info const& who);
/// "batch-1 (pid 977, deploy)": for sentences.
[[nodiscard]] std::string holder_in_sentence(holder_info const& who);
/// "in 11s", "4s ago", "never".
[[nodiscard]] std::string expiry_in_words(holder_info const& who);
/// "2m14s", or "–".
[[nodiscard]] std::string held_for(holder_info const& who);

[[nodiscard]] json_value to_json(holder_info const& who);
[[nodiscard]] json_value to_json(lock_info const& lock, std::string_view store);

[[nodiscard]] table lock_table(bool wide);
void add_row(table& rows, lock_info const& lock, bool wide);

}  // namespace leasehold::cli
