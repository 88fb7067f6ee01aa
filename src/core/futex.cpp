#include "core/futex.hpp"

#include "model/assert.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <ctime>

namespace leasehold::inline v0_1::core {
namespace {

constexpr long sys_futex_waitv = 449;  // the same number on every architecture; older headers lack the name
constexpr std::uint32_t futex_32 = 2;
constexpr std::size_t words_max = 8;
constexpr duration fallback_poll = std::chrono::milliseconds(50);

struct waitv_entry {  // struct futex_waitv of linux/futex.h (5.16)
  std::uint64_t value;
  std::uint64_t address;
  std::uint32_t flags;
  std::uint32_t reserved;
};

std::atomic<bool> waitv_missing{false};

timespec to_timespec(duration d) noexcept {
  auto const seconds = std::chrono::floor<std::chrono::seconds>(d);
  return {static_cast<time_t>(seconds.count()), static_cast<long>((d - seconds).count())};
}

timespec monotonic_in(duration d) noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return to_timespec(std::chrono::seconds(now.tv_sec) + duration(now.tv_nsec) + d);
}

bool wait_on_all(std::span<spi::futex_wait const> words, duration at_most) noexcept {
  std::array<waitv_entry, words_max> entries{};
  for (std::size_t i = 0; i < words.size(); ++i) {
    entries[i] = {words[i].expected, reinterpret_cast<std::uintptr_t>(words[i].word),
                  futex_32 | (words[i].shared ? 0U : static_cast<std::uint32_t>(FUTEX_PRIVATE_FLAG)), 0};
  }
  auto const until = monotonic_in(at_most);
  auto const r = ::syscall(sys_futex_waitv, entries.data(), words.size(), 0, &until, CLOCK_MONOTONIC);
  return r >= 0 || (errno != ENOSYS && errno != EPERM);
}

void wait_on_first(spi::futex_wait const& w, duration at_most) noexcept {
  auto const relative = to_timespec(at_most);
  ::syscall(SYS_futex, w.word, w.shared ? FUTEX_WAIT : FUTEX_WAIT_PRIVATE, w.expected, &relative, nullptr, 0);
}

}  // namespace

void futex_wait_any(std::span<spi::futex_wait const> words, duration at_most) noexcept {
  LEASEHOLD_ASSERT(!words.empty() && words.size() <= words_max);
  if (at_most <= duration::zero()) return;
  at_most = std::min<duration>(at_most, std::chrono::hours(1));
  if (words.size() == 1) return wait_on_first(words[0], at_most);
  if (!waitv_missing.load(std::memory_order_relaxed)) {
    if (wait_on_all(words, at_most)) return;
    waitv_missing.store(true, std::memory_order_relaxed);
  }
  for (auto const& w : words) {
    if (w.word->load() != w.expected) return;
  }
  wait_on_first(words[0], std::min(at_most, fallback_poll));
}

void futex_wake_all(std::atomic<std::uint32_t>& word, bool shared) noexcept {
  ::syscall(SYS_futex, &word, shared ? FUTEX_WAKE : FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

void force_futex_fallback(bool on) noexcept { waitv_missing.store(on, std::memory_order_relaxed); }

}  // namespace leasehold::inline v0_1::core
