#include "engines/local/latch.hpp"

#include "engines/local/recovery.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

namespace {

inline void pause_cpu() noexcept {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

/// Takes a latch that is free, or whose owner is gone; `seen` becomes its value otherwise.
bool latch_guard::try_lock(u32& seen) noexcept {
  seen = get(latch_);
  u32 const owner = seen & ~sleepers;
  if (owner == 0) return swap(latch_, seen, own() | (seen & sleepers));
  // An owner that no process can be is damage, and mended as a death is.
  if (owner <= process_count && session_.fate_of(static_cast<u16>(owner - 1)) != fate::gone) return false;
  if (!swap(latch_, seen, own() | sleepers)) return false;
  // INVARIANT: until the rebuild is complete the latch names us; should we die in it, our successor rebuilds again.
  rebuild(session_, shard_);
  return true;
}

result<void> latch_guard::lock_slowly() {
  constexpr int spins = 100;
  u32 seen = 0;
  for (int i = 0; i < spins; ++i) {
    if (try_lock(seen)) {
      locked_ = true;
      return {};
    }
    pause_cpu();
  }
  instant const give_up = now() + 1'000'000'000;
  // The nap bounds what is lost when an owner dies between opening the latch and waking us.
  for (duration nap = std::chrono::milliseconds(1); !try_lock(seen);
       nap = std::min<duration>(nap * 2, std::chrono::milliseconds(20))) {
    if (now() > give_up) {
      auto const slot = (seen & ~sleepers) - 1;
      u32 const pid = slot < process_count ? get(session_.mem().process(slot).pid) : 0;
      return file_failure(errc::unavailable, session_.file().path(),
                          "process " + std::to_string(pid) + " has been inside a lock operation for a second",
                          "is that process stopped? resume or kill it");
    }
    if ((seen & ~sleepers) == 0) continue;
    if ((seen & sleepers) == 0 && !swap(latch_, seen, seen | sleepers)) continue;
    futex_wait(latch_, seen | sleepers, nap);
  }
  // Others may sleep still: whoever slept once hands the duty to wake on.
  latch_.fetch_or(sleepers, std::memory_order_acq_rel);
  locked_ = true;
  return {};
}

}  // namespace leasehold::inline v0_1::local
