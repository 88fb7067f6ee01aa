// Decides what a detached lease's ticket says: whose entry it is, and until when, on the clock of one start of one machine.
#pragma once

#include <leasehold/clock.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {

struct ticket {
  std::string owner;
  std::string boot;
  time_point until{};
};
[[nodiscard]] std::string ticket_text(ticket const& t);
/// Nullopt: not a ticket of this engine.
[[nodiscard]] std::optional<ticket> read_ticket(std::string_view text);
/// Of this start of this machine: whether a time on its clock means anything here.
[[nodiscard]] std::string const& boot();

}  // namespace leasehold::inline v0_1::cosmos
