// Decides how a failure reaches the user: exit code, stable LH- code, what failed, what to do next.
#pragma once

#include <leasehold/error.hpp>

#include <string>
#include <string_view>

namespace leasehold::cli {

/// Thrown by commands and caught in `main` (or in the supervisor). Every text in it is free of secrets.
struct problem {
  int exit_code = 0;
  std::string code;     ///< "LH-…"
  std::string message;  ///< what failed, on which store, why
  std::string hint;     ///< what to do next; one or more lines; may be empty
};

/// The command line itself is wrong (64).
[[nodiscard]] problem usage(std::string message, std::string hint = {});
/// A configuration file, variable or named store is wrong (78).
[[nodiscard]] problem bad_config(std::string message, std::string hint = {});
/// The operating system refused (71); `what` names the call's purpose, `error` is an errno.
[[nodiscard]] problem os_refused(std::string_view what, int error);
/// The library's answer in the CLI's codes. `doing` ("acquiring nightly") goes before it when the library has no text.
[[nodiscard]] problem from_library(std::error_code code, diagnostics const& details, std::string_view doing = {});

/// Text or, with `json`, one object on stderr.
void print(problem const& what, bool json);

/// One line on stderr, "leasehold: " before it.
void say(std::string_view message);
/// The same unless stderr is blocked (a paused pager, ^S): for those on whom the end of a job depends.
void say_unless_blocked(std::string_view message);

}  // namespace leasehold::cli
