// Decides how long a holder may rely on what an engine granted. Pure arithmetic on durations and instants.
#pragma once

#include "model/assert.hpp"

#include <leasehold/clock.hpp>

#include <algorithm>
#include <optional>

namespace leasehold::inline v0_1::model {

/// ρ: the worst rate error between our clock and the engine's. σ: timer and scheduling slack.
inline constexpr int clock_rate_error_percent = 1;
inline constexpr duration timer_slack = std::chrono::milliseconds(5);
inline constexpr duration op_timeout_max = std::chrono::seconds(5);
/// Bounds every wait without a better hint: a missed wake-up costs at most this.
inline constexpr duration poll_max = std::chrono::seconds(1);

/// `from + by`, saturating.
[[nodiscard]] constexpr time_point after(time_point from, duration by) noexcept {
  return by >= time_point::max() - from ? time_point::max() : from + by;
}

/// What is taken off a granted TTL: ttl·ρ + σ (design §3.1; the drift allowance of "The Redlock algorithm", redis.io).
[[nodiscard]] constexpr duration margin_for(duration ttl) noexcept {
  return ttl / 100 * clock_rate_error_percent + timer_slack;
}

/// REQUIRES: sent_at was read before the request left. An absent TTL has no deadline.
[[nodiscard]] constexpr time_point deadline_of(time_point sent_at, std::optional<duration> ttl) noexcept {
  if (!ttl) return time_point::max();
  auto const usable = *ttl - margin_for(*ttl);
  if (usable <= duration::zero()) return sent_at;
  return after(sent_at, usable);
}

/// When the next renewal is due: at a third of the TTL after the last request that was granted.
[[nodiscard]] constexpr time_point renewal_due(time_point sent_at, duration ttl) noexcept {
  return after(sent_at, ttl / 3);
}

/// After a failed renewal: soon enough for several more tries before the deadline, never a busy loop.
[[nodiscard]] constexpr time_point retry_due(time_point now, time_point deadline, duration ttl) noexcept {
  auto const pause = std::clamp<duration>(ttl / 12, std::chrono::milliseconds(1), std::chrono::seconds(1));
  return std::min(now + pause, deadline);
}

/// How long one request may take: min(5 s, TTL/4) unless the caller said otherwise.
[[nodiscard]] constexpr duration op_timeout_for(std::optional<duration> asked, std::optional<duration> ttl) noexcept {
  if (asked) return *asked;
  return ttl ? std::min(op_timeout_max, *ttl / 4) : op_timeout_max;
}

}  // namespace leasehold::inline v0_1::model
