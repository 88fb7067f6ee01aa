// Decides who may change a shard's indices. The latch names its owner, so that a dead one is succeeded (and what it left half
// done is rebuilt), and a stopped one is named instead of waited for.
#pragma once

#include "engines/local/session.hpp"

namespace leasehold::inline v0_1::local {

class latch_guard {
 public:
  /// REQUIRES: `s` entered, or entering with its slot live.
  latch_guard(session& s, u32 shard) noexcept : session_(s), shard_(shard), latch_(s.mem().shard(shard).latch) {}
  latch_guard(latch_guard const&) = delete;
  ~latch_guard() { unlock(); }

  /// errc::unavailable naming the process that has held it for a second. A dead owner's shard is rebuilt first.
  [[nodiscard]] result<void> lock() {
    u32 unlocked = 0;
    if (swap(latch_, unlocked, own())) [[likely]] {
      locked_ = true;
      return {};
    }
    return lock_slowly();
  }
  void unlock() noexcept {
    if (!locked_) return;
    locked_ = false;
    u32 const was = latch_.exchange(0, std::memory_order_acq_rel);
    crash_point();
    if ((was & sleepers) != 0) futex_wake(latch_, 1);
  }

 private:
  static constexpr u32 sleepers = 1U << 31;

  [[nodiscard]] u32 own() const noexcept { return u32{session_.slot()} + 1; }
  [[nodiscard]] result<void> lock_slowly();
  [[nodiscard]] bool try_lock(u32& seen) noexcept;
  void succeed() noexcept;

  session& session_;
  u32 shard_;
  std::atomic<u32>& latch_;
  bool locked_ = false;
};

}  // namespace leasehold::inline v0_1::local
