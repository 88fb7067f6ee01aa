// Decides what `leasehold release` does: take up and give back.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "commands/ticket.hpp"

namespace leasehold::cli {

namespace {

int release(invocation& call) {
  auto const where = call.open_store();
  auto held = adopt_by_ticket(call, where);
  std::error_code ec;
  held.release(ec);
  if (ec) throw from_library(ec, {}, joined({"releasing ", printable(call.word(0))}));
  return 0;
}

}  // namespace

command const release_command{
    .name = "release",
    .summary = "give back a lease taken by acquire",
    .words = "NAME",
    .words_min = 1,
    .words_max = 1,
    .options = ticket_options,
    .about = "79: it was gone already (its time had run out, or somebody else holds it by now); nothing was changed.",
    .run = release};

}  // namespace leasehold::cli
