// Decides which commands exist.
#pragma once

#include "base/context.hpp"

#include <span>

namespace leasehold::cli {

extern command const run_command;
extern command const once_command;
extern command const elect_command;
extern command const check_command;
extern command const ls_command;
extern command const show_command;
extern command const watch_command;
extern command const break_command;
extern command const acquire_command;
extern command const renew_command;
extern command const release_command;
extern command const init_command;
extern command const doctor_command;
extern command const bench_command;
extern command const config_show_command;
extern command const completion_command;
extern command const help_command;
extern command const version_command;

/// In the order of the overview.
[[nodiscard]] std::span<command const* const> all_commands() noexcept;

/// The text of `leasehold help COMMAND`, and of `leasehold help`.
[[nodiscard]] std::string help_of(command const& what);
[[nodiscard]] std::string overview();
[[nodiscard]] int print_version(invocation& call);

}  // namespace leasehold::cli
