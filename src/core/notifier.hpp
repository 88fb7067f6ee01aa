// Decides on which thread user code is called: one per process for events and one for losses,
// started on first need, never the keeper, never under our locks.
#pragma once

#include <leasehold/observer.hpp>

#include <cstdint>
#include <memory>
#include <stop_token>
#include <vector>

namespace leasehold::inline v0_1::core {

/// The observers of one store. Thread-safe.
class audience {
 public:
  audience();
  ~audience();
  void add(std::weak_ptr<observer> who);
  [[nodiscard]] bool empty() const noexcept;
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  /// Queues `what` for every observer; drops it, counted, when 1024 are waiting. Never blocks on user code, never throws.
  void tell(event what) noexcept;
  struct state;

 private:
  std::shared_ptr<state> state_;
};

/// Requests stop on the thread for losses. Never dropped: it allocates nothing beyond the queue's node.
void announce_loss(std::stop_source source) noexcept;
/// Returns when everything queued before has been delivered; at once on these threads themselves.
void flush_notices(duration at_most) noexcept;

}  // namespace leasehold::inline v0_1::core
