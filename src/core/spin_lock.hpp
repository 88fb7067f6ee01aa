// Decides how a few instructions are kept apart where even an uncontended std::mutex would show: one locked instruction instead of two.
#pragma once

#include <atomic>
#include <thread>

namespace leasehold::inline v0_1::core {

/// Lockable. For sections without calls, system calls or allocation.
class spin_lock {
 public:
  void lock() noexcept {
    while (flag_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  }
  void unlock() noexcept { flag_.clear(std::memory_order_release); }

 private:
  std::atomic_flag flag_;
};

}  // namespace leasehold::inline v0_1::core
