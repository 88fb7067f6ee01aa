// Decides what every command starts from.
#include "base/context.hpp"

#include "base/problem.hpp"
#include "base/text.hpp"

#include <unistd.h>

#include <cerrno>

namespace leasehold::cli {

settings const& invocation::config() {
  if (!settings_) settings_ = settings::load(given_);
  return *settings_;
}

format invocation::output() {
  constexpr std::pair<std::string_view, format> formats[] = {{"table", format::table}, {"wide", format::wide},
                                                             {"plain", format::plain}, {"name", format::name},
                                                             {"json", format::json},   {"ndjson", format::ndjson}};
  auto const* chosen = config().find("output");
  if (chosen == nullptr) return format::table;
  for (auto const& [word, value] : formats) {
    if (word == chosen->value) return value;
  }
  throw usage(joined({chosen->origin, ": no output format \"", printable(chosen->value), "\""}),
              "table, wide, plain, name, json or ndjson");
}

bool invocation::may_ask() {
  auto const* off = config().find("no_input");
  bool const forbidden = off != nullptr && off->value != "0" && off->value != "false";
  return !forbidden && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDERR_FILENO) == 1;
}

store_choice const& invocation::choice() {
  if (!choice_) choice_ = config().store();
  return *choice_;
}

open_options invocation::open_options() {
  leasehold::open_options options;
  if (auto const* ns = config().find("namespace")) options.name_space = ns->value;
  options.op_timeout = config().op_timeout();
  return options;
}

store invocation::open_store() {
  std::error_code ec;
  diagnostics details;
  auto opened = open(choice().url, open_options(), ec, &details);
  if (ec) throw from_library(ec, details, joined({"opening ", choice().label}));
  return opened;
}

void emit(std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw os_refused("writing to stdout", errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace leasehold::cli
