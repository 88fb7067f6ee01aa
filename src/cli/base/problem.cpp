// Decides the LH- code and the exit code of every failure.
#include "base/problem.hpp"

#include "base/exit_code.hpp"
#include "base/text.hpp"

#include <poll.h>
#include <unistd.h>

#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

namespace leasehold::cli {

namespace {

struct row {
  errc when;
  int exit_code;
  std::string_view code;
  std::string_view hint;
};

constexpr row rows[] = {
    {errc::timed_out, exit_code::busy, "LH-BUSY", "see who holds it: leasehold ls"},
    {errc::probation, exit_code::busy, "LH-PROBATION",
     "the engine may have forgotten its grants; try again in a minute"},
    {errc::cancelled, exit_code::by_signal, "LH-CANCELLED", ""},
    {errc::lost, exit_code::lost, "LH-LEASE-LOST", "whatever it protected may have another owner by now"},
    {errc::expired, exit_code::lost, "LH-LEASE-EXPIRED", "its time had run out; nobody else was disturbed"},
    {errc::not_owner, exit_code::lost, "LH-NOT-OWNER", "somebody else holds it by now; nothing was changed"},
    {errc::outcome_unknown, exit_code::unreachable, "LH-OUTCOME-UNKNOWN", "look before you try again: leasehold ls"},
    {errc::unavailable, exit_code::unreachable, "LH-STORE-UNREACHABLE", "check it: leasehold doctor"},
    {errc::auth, exit_code::not_permitted, "LH-NOT-PERMITTED", "check it: leasehold doctor"},
    {errc::misconfigured, exit_code::misconfigured, "LH-STORE-MISCONFIGURED", "check it: leasehold doctor"},
    {errc::mode_mismatch, exit_code::misconfigured, "LH-MODE-MISMATCH",
     "every user of a name must agree on --slots; see it: leasehold show NAME"},
    {errc::unsupported, exit_code::usage, "LH-UNSUPPORTED", "what each store can do: leasehold help stores"},
    {errc::bad_name, exit_code::usage, "LH-BAD-NAME", "a name is 1 to 255 bytes of UTF-8 without control characters"},
    {errc::bad_option, exit_code::usage, "LH-BAD-OPTION", "leasehold help stores"},
    {errc::internal, exit_code::internal, "LH-INTERNAL",
     "this is a defect of leasehold; please report it with the output of: leasehold version -o json"},
};

void write_all(std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(STDERR_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;  // nowhere left to complain to
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

std::string indented(std::string_view lines) {
  std::string out;
  while (!lines.empty()) {
    auto const end = lines.find('\n');
    out.append("  ").append(lines.substr(0, end)).append("\n");
    lines = end == lines.npos ? std::string_view{} : lines.substr(end + 1);
  }
  return out;
}

}  // namespace

problem usage(std::string message, std::string hint) {
  return {exit_code::usage, "LH-USAGE", std::move(message), std::move(hint)};
}

problem bad_config(std::string message, std::string hint) {
  return {exit_code::misconfigured, "LH-CONFIG", std::move(message), std::move(hint)};
}

problem os_refused(std::string_view what, int error) {
  return {exit_code::os_refused, "LH-OS-REFUSED", joined({what, ": ", std::strerror(error)}), {}};
}

problem from_library(std::error_code code, diagnostics const& details, std::string_view doing) {
  std::string message{details.message()};
  if (message.empty()) message = doing.empty() ? code.message() : joined({doing, ": ", code.message()});
  if (!details.server_text().empty()) message += joined({" (the engine says: ", printable(details.server_text()), ")"});
  for (auto const& r : rows) {
    if (code != r.when) continue;
    auto const hint = details.hint().empty() ? r.hint : details.hint();
    return {r.exit_code, std::string{r.code}, std::move(message), std::string{hint}};
  }
  return {exit_code::os_refused, "LH-OS-REFUSED", std::move(message), std::string{details.hint()}};
}

void print(problem const& what, bool json) {
  if (!json) {
    write_all(joined({"leasehold: ", what.message, " [", what.code, "]\n", indented(what.hint)}));
    return;
  }
  nlohmann::ordered_json object{{"schema", "leasehold/v1"}, {"kind", "error"},   {"code", what.code},
                                {"message", what.message},  {"hint", what.hint}, {"exit_code", what.exit_code}};
  write_all(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void say(std::string_view message) { write_all(joined({"leasehold: ", message, "\n"})); }

void say_unless_blocked(std::string_view message) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&out, 1, 0) > 0) say(message);
}

}  // namespace leasehold::cli
