// Decides how a detached lease travels between commands.
#include "commands/ticket.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "view/json.hpp"
#include "view/wall_clock.hpp"

#include <unistd.h>

#include <cstdlib>

namespace leasehold::cli {

namespace {

std::string trimmed(std::string text) {
  auto const first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string from_stdin() {
  constexpr std::size_t ticket_max_bytes = std::size_t{64} * 1024;
  std::string text;
  char part[512];
  ssize_t n = 0;
  while (text.size() < ticket_max_bytes && (n = ::read(STDIN_FILENO, part, sizeof part)) > 0) {
    text.append(part, static_cast<std::size_t>(n));
  }
  return text;
}

/// `acquire -o json` may be piped in whole.
std::string ticket_of(std::string text) {
  text = trimmed(std::move(text));
  if (!text.starts_with('{')) return text;
  auto const object = json_value::parse(text, nullptr, false);
  bool const has_ticket = object.is_object() && object.contains("ticket") && object["ticket"].is_string();
  return has_ticket ? object["ticket"].get<std::string>() : std::string{};
}

std::string given_ticket(invocation& call) {
  auto const& args = call.args();
  auto const* variable = std::getenv("LEASEHOLD_TICKET");
  if (args.has("ticket") && args.get("ticket") != "-") return ticket_of(std::string{args.get("ticket")});
  if (!args.has("ticket") && variable != nullptr && *variable != '\0') return ticket_of(variable);
  if (!args.has("ticket") && ::isatty(STDIN_FILENO) == 1) return {};
  return ticket_of(from_stdin());
}

}  // namespace

lease adopt_by_ticket(invocation& call, store const& where) {
  auto const ticket = given_ticket(call);
  if (ticket.empty())
    throw usage("no ticket", "--ticket TICKET, LEASEHOLD_TICKET, or on stdin: what leasehold acquire printed");
  acquire_options options;
  options.renew = renewal::manual;
  std::error_code ec;
  diagnostics details;
  auto held = where.adopt(call.word(0), ticket, options, ec, &details);
  if (ec) throw from_library(ec, details, joined({"taking up ", printable(call.word(0))}));
  return held;
}

void hand_out(invocation& call, lease held, std::string_view kind) {
  std::string const name{held.name()};
  auto const until = held.deadline();
  auto out = document(kind);
  out["name"] = name;
  out["token"] = held.has_token() ? json_value(held.token()) : json_value(nullptr);
  out["remaining_ms"] = in_ms(held.remaining());
  auto const ticket = held.detach();
  out["ticket"] = ticket;
  emit(call.json_wanted() ? one_line(out) : ticket + "\n");
  if (call.quiet() || call.json_wanted()) return;
  say(joined({printable(name), " is yours until ", time_of_day(until), "; nothing renews it but leasehold renew ",
              printable(name)}));
}

}  // namespace leasehold::cli
