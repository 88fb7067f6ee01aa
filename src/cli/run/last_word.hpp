// Decides how the supervisor leaves word with the front for the case that it falls silent: in a page both see, so that neither
// can hold the other up.
#pragma once

#include "run/stop_plan.hpp"

#include <atomic>
#include <cstdint>

namespace leasehold::cli {

class last_word {
 public:
  /// Shared with children forked later. Throws `problem` (71).
  last_word();
  ~last_word();
  last_word(last_word const&) = delete;
  last_word& operator=(last_word const&) = delete;

  void leave(silence_orders what) const noexcept {
    // INVARIANT: each of the two is right by itself, so it does not matter which of them the front reads first.
    page_->kill_at.store(what.kill_at.time_since_epoch().count(), std::memory_order_release);
    page_->term_at.store(what.term_at.time_since_epoch().count(), std::memory_order_release);
  }
  [[nodiscard]] silence_orders read() const noexcept {
    return {time_point{duration{page_->term_at.load(std::memory_order_acquire)}},
            time_point{duration{page_->kill_at.load(std::memory_order_acquire)}}};
  }

 private:
  struct shared {
    std::atomic<std::int64_t> term_at;
    std::atomic<std::int64_t> kill_at;
  };
  static_assert(std::atomic<std::int64_t>::is_always_lock_free, "two processes share it");
  shared* page_;
};

}  // namespace leasehold::cli
