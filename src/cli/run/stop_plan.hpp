// Decides when a job is told to stop and when it is killed: pure arithmetic on instants, no clock, no process.
#pragma once

#include "run/plan.hpp"

#include <leasehold/clock.hpp>

#include <algorithm>
#include <optional>

namespace leasehold::cli {

/// What `run` asks the store for: after the holder's death or eviction the name stays busy this long, until the kernel, the front
/// or the supervisor has ended the job. An engine that notices at once would else grant it beside the job.
inline constexpr duration lock_delay = std::chrono::seconds{2};
/// What an evicted job has of it between TERM and KILL; the rest is for the news to arrive and for the group to die.
inline constexpr duration evicted_patience = lock_delay * 3 / 4;

enum class stop_reason { none, lease_lost, max_runtime, front_died, second_interrupt };
enum class stop_action { none, term, kill };

/// What the front does to the job unless it hears better: the supervisor, stopped or starved, would not do it.
struct silence_orders {
  time_point term_at = time_point::max();
  time_point kill_at = time_point::max();

  [[nodiscard]] stop_action due(time_point now) const {
    if (now >= kill_at) return stop_action::kill;
    return now >= term_at ? stop_action::term : stop_action::none;
  }
  [[nodiscard]] time_point wake_at() const { return std::min(term_at, kill_at); }
};

class stop_plan {
 public:
  struct limits {
    duration grace;   ///< TERM this long before the deadline
    duration margin;  ///< KILL this long before the deadline
  };
  /// 5 s and 1 s, less for a short TTL: always later than the first two thirds, which belong to renewal.
  [[nodiscard]] static limits limits_for(duration ttl) {
    using namespace std::chrono_literals;
    return {std::min<duration>(5s, ttl / 3), std::min<duration>(1s, ttl / 15)};
  }

  stop_plan(on_lost policy, duration kill_after) : policy_(policy), kill_after_(kill_after) {}

  void set_runtime_limit(time_point at) { runtime_limit_ = at; }
  /// The earliest deadline of the leases, as it stands now, and the shortest TTL. Not for leases without a TTL.
  void set_deadline(time_point at, duration ttl) {
    deadline_ = at;
    limits_ = limits_for(ttl);
  }
  /// A lease is gone. If it was an eviction the name stays busy until the deadline, or without one for the lock delay: the job has
  /// no longer than that.
  void lost(time_point now) {
    if (policy_ == on_lost::ignore || reason_ == stop_reason::lease_lost) return;
    bool const timed = deadline_ != time_point::max();
    duration const bound = timed ? std::chrono::seconds{5} : evicted_patience;
    auto const patience = policy_ == on_lost::kill ? duration::zero() : std::min(kill_after_, bound);
    begin(stop_reason::lease_lost, std::min(now + patience, std::max(now, kill_by())));
  }
  /// The front has told the job to stop, because we were silent for too long.
  void was_silent() {
    termed_ = true;
    begin(stop_reason::lease_lost, kill_by());
  }
  void front_died(time_point now) { begin(stop_reason::front_died, now + kill_after_); }
  void second_interrupt(time_point now) { begin(stop_reason::second_interrupt, now); }

  /// What to do now. Each action is told once; call again until `none`.
  [[nodiscard]] stop_action next(time_point now) {
    if (policy_ == on_lost::term && now >= term_by()) begin(stop_reason::lease_lost, kill_by());
    if (policy_ == on_lost::kill && now >= kill_by()) begin(stop_reason::lease_lost, now);
    if (runtime_limit_ && now >= *runtime_limit_) begin(stop_reason::max_runtime, now + kill_after_);
    if (!kill_at_ || killed_) return stop_action::none;
    if (now >= *kill_at_) {
      killed_ = true;
      return stop_action::kill;
    }
    if (termed_) return stop_action::none;
    termed_ = true;
    return stop_action::term;
  }

  /// For the front: each of our own steps, half the way to the next one later. Nothing is left to it after KILL.
  [[nodiscard]] silence_orders if_silent() const {
    silence_orders out;
    if (killed_ || policy_ == on_lost::ignore) return out;
    if (policy_ == on_lost::term && !termed_) out.term_at = before_deadline((limits_.grace + limits_.margin) / 2);
    out.kill_at = before_deadline(limits_.margin / 2);
    return out;
  }

  /// When `next` or `if_silent` may have something new to say: the deadline may have moved by then.
  [[nodiscard]] time_point wake_at(time_point now) const {
    if (killed_) return time_point::max();
    auto at = kill_at_.value_or(time_point::max());
    if (reason_ != stop_reason::lease_lost && policy_ != on_lost::ignore) {
      auto const look = before_deadline(limits_.grace * 3 / 2);
      at = std::min(at, now < look ? look : policy_ == on_lost::term ? term_by() : kill_by());
    }
    if (reason_ == stop_reason::none && runtime_limit_) at = std::min(at, *runtime_limit_);
    return at;
  }

  /// Why the job was told to stop; the first reason stays, but a lost lease overrides.
  [[nodiscard]] stop_reason reason() const noexcept { return reason_; }

 private:
  [[nodiscard]] time_point before_deadline(duration span) const {
    return deadline_ == time_point::max() ? deadline_ : deadline_ - span;
  }
  [[nodiscard]] time_point term_by() const { return before_deadline(limits_.grace); }
  [[nodiscard]] time_point kill_by() const { return before_deadline(limits_.margin); }

  void begin(stop_reason why, time_point kill_at) {
    bool const first = reason_ == stop_reason::none;
    if (first || (why == stop_reason::lease_lost && reason_ != stop_reason::lease_lost)) reason_ = why;
    kill_at_ = std::min(kill_at_.value_or(time_point::max()), kill_at);
  }

  on_lost policy_;
  duration kill_after_;
  time_point deadline_ = time_point::max();
  limits limits_{};
  std::optional<time_point> runtime_limit_;
  std::optional<time_point> kill_at_;
  stop_reason reason_ = stop_reason::none;
  bool termed_ = false;
  bool killed_ = false;
};

}  // namespace leasehold::cli
