// Decides whether this process is the one that opened something, for one load (getpid is a system call).
#pragma once

#include <cstdint>

namespace leasehold::inline v0_1::core {

/// Grows in every forked child, from the first call in the parent on.
[[nodiscard]] std::uint32_t fork_epoch() noexcept;

}  // namespace leasehold::inline v0_1::core
