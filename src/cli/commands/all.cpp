// Decides which commands exist, and their order in the overview.
#include "commands/all.hpp"

namespace leasehold::cli {

std::span<command const* const> all_commands() noexcept {
  static constexpr command const* commands[] = {
      &run_command,    &once_command,  &elect_command,       &check_command,      &ls_command,      &show_command,
      &watch_command,  &break_command, &acquire_command,     &renew_command,      &release_command, &init_command,
      &doctor_command, &bench_command, &config_show_command, &completion_command, &help_command,    &version_command};
  return commands;
}

}  // namespace leasehold::cli
