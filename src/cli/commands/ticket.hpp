// Decides how a detached lease travels between commands: its ticket, given and taken.
#pragma once

#include "base/context.hpp"

#include <leasehold/lease.hpp>

#include <string_view>

namespace leasehold::cli {

inline constexpr option ticket_options[] = {
    {"ticket", 0, "TICKET|-", "what acquire printed; - reads it from stdin (default: LEASEHOLD_TICKET, else stdin)"},
};

/// Takes up the lease of NAME, the command's operand. Throws `problem` (64: no ticket; 79: gone).
[[nodiscard]] lease adopt_by_ticket(invocation& call, store const& where);
/// Detaches and prints the ticket on stdout (and, on stderr, until when it is good).
void hand_out(invocation& call, lease held, std::string_view kind);

}  // namespace leasehold::cli
