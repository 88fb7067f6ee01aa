// Decides what the one thread this engine keeps per session does: it holds the beacon, and reads the mailbox.
#pragma once

#include "engines/local/session.hpp"

#include <pthread.h>

#include <linux/futex.h>

namespace leasehold::inline v0_1::local {

class beacon_thread {
 public:
  beacon_thread(session& s, u16 slot) noexcept;
  beacon_thread(beacon_thread const&) = delete;
  /// Takes the beacon off the robust list, then joins.
  ~beacon_thread();
  /// Returns when the beacon is lit. errc::unavailable (no thread), errc::unsupported (no robust lists).
  [[nodiscard]] result<void> light();

 private:
  static void* run(void* self) noexcept;
  void work() noexcept;
  void sleep(u32 seen, std::vector<::futex_waitv>& words) const noexcept;

  session& session_;
  local::process& process_;
  pthread_t thread_{};
  bool running_ = false;
  std::atomic<u32> lit_{0};  ///< 1: yes; 2: refused by the kernel
  std::atomic<bool> stop_{false};
  u32 revoked_seen_ = 0;
  ::robust_list_head robust_{};
  ::robust_list entry_{};
};

}  // namespace leasehold::inline v0_1::local
