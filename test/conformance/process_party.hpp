// Decides how another process takes part in a test: this executable run again, told what to do over a pipe.
#pragma once

#include "conformance/fixture.hpp"

#include <optional>

namespace leasehold::conformance {

/// Begins to acquire `name` in a new process with a client of its own.
[[nodiscard]] std::unique_ptr<party> start_process_party(std::string const& url, std::string_view name,
                                                         party_options const& options);
/// If this process was started as a party: plays it and returns its exit code.
[[nodiscard]] std::optional<int> play_party(int argc, char** argv);

}  // namespace leasehold::conformance
