// Decides who inside this process is told when the mailbox rings: drivers that cannot wait for futexes, and whoever wants to know
// of revoked grants.
#pragma once

#include "spi/driver.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

namespace leasehold::inline v0_1::local {

/// A wait on behalf of a driver that cannot wait for futexes; carried out by the beacon thread.
struct mailbox_wait {
  /// The first is the waiter's own, whose changes ring the mailbox; the others are beacons, which the kernel alone changes.
  std::span<spi::futex_wait const> words;
  std::shared_ptr<spi::waker> who;
  bool told = false;
};

/// Thread-safe.
class mailbox {
 public:
  /// `wait` is looked at from now until `remove`, which returns when its waker is not being called.
  void add(mailbox_wait& wait);
  void remove(mailbox_wait& wait) noexcept;
  /// `tell` is called at every revocation until `ignore`, which returns when no call is in progress.
  void listen(void const* who, std::function<void()> tell);
  void ignore(void const* who) noexcept;

  /// Calls the wakers whose words have changed; `watch` is called with every word to sleep on for the others.
  template <class Watch>
  void tell_waiters(Watch watch) {
    std::scoped_lock guard(waits_guard_);
    for (auto* wait : waits_) {
      if (!wait->told && has_changed(*wait)) {
        wait->told = true;
        wait->who->wake();
      }
      if (wait->told) continue;
      for (auto const& word : wait->words.subspan(1)) watch(word);
    }
  }
  void tell_listeners() noexcept;

 private:
  struct listener {
    void const* who;
    std::function<void()> tell;
  };
  [[nodiscard]] static bool has_changed(mailbox_wait const& wait) noexcept;

  std::mutex waits_guard_;
  std::vector<mailbox_wait*> waits_;
  std::mutex listeners_guard_;
  std::vector<listener> listeners_;
};

}  // namespace leasehold::inline v0_1::local
