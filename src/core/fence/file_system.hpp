// Decides on which file systems an append by several hosts may interleave or overwrite.
#pragma once

#include <leasehold/config.hpp>

#include <string_view>

namespace leasehold::inline v0_1::core {

/// The name of the network file system with this statfs(2) type; empty if it is none.
[[nodiscard]] std::string_view network_file_system(unsigned long type) noexcept;

}  // namespace leasehold::inline v0_1::core
