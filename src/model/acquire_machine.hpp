// Decides each step of an acquisition: ask, sleep, give up, take. Pure: fed with answers and instants, it returns the next action.
#pragma once

#include "model/assert.hpp"

#include <leasehold/clock.hpp>
#include <leasehold/error.hpp>

#include <optional>

namespace leasehold::inline v0_1::model {

enum class acquire_action {
  attempt,       ///< ask, taking a place in line
  attempt_once,  ///< ask, leaving nothing behind on refusal
  sleep,         ///< until the hint of change, or `until`
  withdraw,      ///< give up the place; report `withdrawn`
  take,          ///< held
  fail,          ///< `why`; nothing is left behind
};

struct acquire_step {
  acquire_action what;
  time_point until{};     ///< of sleep
  std::error_code why{};  ///< of fail
};

/// INVARIANT: `take` is returned only from `granted`, that is after the claim's own request, with its own sent_at.
/// INVARIANT: after an unknown outcome the next action is `withdraw`.
/// INVARIANT: `fail` is returned only when the claim neither waits nor holds: after a clean refusal of `attempt_once`, or after
/// `withdraw`.
class acquire_machine {
 public:
  /// `wait`: absent = without bound, 0 = one try.
  explicit acquire_machine(std::optional<duration> wait) noexcept : wait_(wait) {}
  /// `jitter` in [0, 1) spreads the polls of many waiters.
  void spread(double jitter) noexcept { jitter_ = jitter; }

  acquire_step start(time_point now) noexcept;
  /// `deadline` as computed from before the request; a grant that is past it already is given back.
  acquire_step granted(time_point now, time_point deadline) noexcept;
  acquire_step refused(time_point now, duration retry_after) noexcept;
  acquire_step failed(time_point now, std::error_code why, duration retry_after) noexcept;
  acquire_step woke(time_point now, bool stopped) noexcept;
  acquire_step withdrawn(time_point now) noexcept;

 private:
  enum class state { idle, asking, asking_once, sleeping, withdrawing, done };

  acquire_step ask() noexcept;
  acquire_step sleep(time_point now, duration hint) noexcept;
  acquire_step give_up(std::error_code why) noexcept;
  acquire_step end(acquire_step last) noexcept;

  std::optional<duration> wait_;
  double jitter_ = 0;
  state state_ = state::idle;
  time_point give_up_at_ = time_point::max();
  bool once_ = false;
  bool was_answered_ = false;
  int failures_ = 0;
  std::error_code why_;  // of the withdrawal in progress; empty: ask again afterwards
};

}  // namespace leasehold::inline v0_1::model
