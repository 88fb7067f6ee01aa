// Decides, for one lease, when to renew it and when it is lost. Pure; the deadline it keeps is the only one there is.
#pragma once

#include "model/assert.hpp"
#include "model/deadline.hpp"

#include <leasehold/clock.hpp>
#include <leasehold/options.hpp>

#include <algorithm>
#include <optional>

namespace leasehold::inline v0_1::model {

enum class keep_action { nothing, renew, lose };

/// INVARIANT: `deadline` never moves once an instant at or past it has been seen (loss is final).
/// INVARIANT: a renewal extends the deadline from before it was sent, and only if its reply came before the old deadline.
struct keeper_machine {
  time_point deadline = time_point::max();
  time_point hold_until = time_point::max();  ///< max_hold
  time_point renew_at = time_point::max();
  duration ttl{};  ///< 0: none
  renewal how = renewal::automatic;

  /// `max_hold`: 0 = no bound.
  void grant(time_point sent_at, std::optional<duration> granted, duration max_hold) noexcept {
    hold_until = max_hold > duration::zero() ? after(sent_at, max_hold) : time_point::max();
    extend(sent_at, granted);
  }

  [[nodiscard]] keep_action due(time_point now) const noexcept {
    if (now >= deadline) return keep_action::lose;
    return now >= renew_at ? keep_action::renew : keep_action::nothing;
  }

  /// When `due` changes next.
  [[nodiscard]] time_point next() const noexcept { return std::min(deadline, renew_at); }

  /// False: the reply came too late; the lease is lost although the engine extended it (RENEW-4).
  [[nodiscard]] bool renewed(time_point sent_at, time_point now, std::optional<duration> granted) noexcept {
    if (now >= deadline) return false;
    auto const before = deadline;
    extend(sent_at, granted);
    deadline = std::max(deadline, before);
    LEASEHOLD_ASSERT(deadline >= before);
    return true;
  }

  void renewal_failed(time_point now) noexcept {
    if (how == renewal::automatic) renew_at = retry_due(now, deadline, ttl);
  }

  [[nodiscard]] bool needs_keeper() const noexcept { return next() != time_point::max(); }

 private:
  void extend(time_point sent_at, std::optional<duration> granted) noexcept {
    ttl = granted.value_or(duration::zero());
    deadline = std::min(deadline_of(sent_at, granted), hold_until);
    bool const renews = granted && how == renewal::automatic && deadline < hold_until;
    renew_at = renews ? renewal_due(sent_at, ttl) : time_point::max();
  }
};

}  // namespace leasehold::inline v0_1::model
