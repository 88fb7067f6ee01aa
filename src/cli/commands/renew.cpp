// Decides what `leasehold renew` does: take up, extend, hand out again.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "commands/ticket.hpp"

namespace leasehold::cli {

namespace {

int renew(invocation& call) {
  auto const where = call.open_store();
  auto held = adopt_by_ticket(call, where);
  std::error_code ec;
  held.renew(ec);
  if (ec) {
    auto const name = printable(held.name());
    if (ec != errc::lost) static_cast<void>(held.detach());  // not renewed, but not given up either
    throw from_library(ec, {}, joined({"renewing ", name}));
  }
  hand_out(call, std::move(held), "renew");
  return 0;
}

}  // namespace

command const renew_command{
    .name = "renew",
    .summary = "extend a lease taken by acquire",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .options = ticket_options,
    .about = "Extends it by the TTL first granted and prints the ticket to use from now on. 79: it is gone.",
    .run = renew};

}  // namespace leasehold::cli
