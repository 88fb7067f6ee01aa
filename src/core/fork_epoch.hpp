// Decides whether this process is the one that opened something, for one load (getpid is a system call).
#pragma once

#include <atomic>
#include <cstdint>

namespace leasehold::inline v0_1::core {

extern std::atomic<std::uint32_t> fork_epoch_word;

/// To be called before the first `fork_epoch`; may be repeated.
void watch_forks() noexcept;
/// Grows in every forked child, from `watch_forks` in the parent on.
[[nodiscard]] inline std::uint32_t fork_epoch() noexcept { return fork_epoch_word.load(std::memory_order_relaxed); }

}  // namespace leasehold::inline v0_1::core
