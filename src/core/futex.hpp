// Decides how threads of this library sleep and wake on a word; thin names for futex(2) and futex_waitv(2).
#pragma once

#include "spi/driver.hpp"

#include <atomic>
#include <cstdint>
#include <span>

namespace leasehold::inline v0_1::core {

/// Sleeps while all words have their expected values, at most `at_most`. May return early. Where the kernel has no futex_waitv
/// (< 5.16, some sandboxes) it waits on the first word only, at most 50 ms.
void futex_wait_any(std::span<spi::futex_wait const> words, duration at_most) noexcept;
void futex_wake_all(std::atomic<std::uint32_t>& word, bool shared) noexcept;
/// For tests: pretend that the kernel lacks futex_waitv.
void force_futex_fallback(bool on) noexcept;

}  // namespace leasehold::inline v0_1::core
