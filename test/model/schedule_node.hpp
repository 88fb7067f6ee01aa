// Decides what a modelled node does in time: the scripts of a real one, on a clock of its own, which restarts and forgets.
#pragma once

#include "model/variant.hpp"

#include <leasehold/clock.hpp>

#include <algorithm>
#include <chrono>

namespace leasehold::test::quorum_schedules {

using quorum_model::good;

inline constexpr duration max_ttl = std::chrono::seconds(2);

enum class node_says : std::uint8_t { granted, refused, in_probation, may_rejoin, other_list };

template <class V>
class timed_node {
 public:
  struct answer {
    node_says what;
    int counter;
  };

  /// Its clock shows `ahead` at the beginning, and runs at `rate` parts in a thousand.
  timed_node(duration ahead, int rate) : ahead_(ahead), rate_(rate) {}

  answer ask(int owner, int hint, duration ttl, int list, time_point at) {
    auto const now = local(at);
    if (V::compares_lists && is_.list >= 0 && is_.list != list) return {node_says::other_list, 0};
    if (is_.run != run_) {
      is_.run = run_;
      is_.list = list;
      is_.since = now;
      is_.prob = V::has_probation || V::copies_counter;
    }
    if (is_.prob) return {is_over(now) ? node_says::may_rejoin : node_says::in_probation, 0};
    expire(now);
    if (is_.owner == owner && owner != 0) return {node_says::granted, is_.counter};
    if (!V::is_free(is_.owner != 0)) return {node_says::refused, is_.counter};
    is_.counter = V::granted_counter(is_.counter, hint);
    is_.owner = owner;
    is_.expires = now + ttl;
    return {node_says::granted, is_.counter};
  }
  bool settle(int owner, int token, duration ttl, time_point at) {
    expire(local(at));
    bool const free = is_.owner == 0;
    if (!V::may_settle(is_.owner == owner, free)) return false;
    is_.counter = V::settled_counter(is_.counter, token);
    if (free) is_.owner = owner, is_.expires = local(at) + ttl;
    return true;
  }
  bool renew(int owner, duration ttl, time_point at) {
    expire(local(at));
    if (!V::may_renew(is_.owner == owner, is_.owner == 0)) return false;
    if (is_.owner == 0) is_.owner = owner;
    is_.expires = local(at) + ttl;
    return true;
  }
  void release(int owner, time_point at) {
    expire(local(at));
    if (is_.owner != 0 && V::may_release(is_.owner == owner)) free();
  }
  /// Its counter, or nothing if it does not vote.
  [[nodiscard]] std::optional<int> look(int list) const {
    if (is_.run != run_ || is_.prob || (V::compares_lists && is_.list != list)) return std::nullopt;
    return is_.counter;
  }
  void rejoin(int counter, int list, time_point at) {
    if (!is_.prob || is_.run != run_ || is_.list != list || !is_over(local(at))) return;
    if (V::copies_counter) is_.counter = std::max(is_.counter, counter);
    is_.prob = false;
  }
  void initialize(int largest, int list, time_point at) {
    auto const clock_says = static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(local(at)).count());
    is_.counter = std::max({is_.counter, largest, clock_says});
    is_.run = run_;
    is_.list = list;
    is_.prob = false;
  }

  [[nodiscard]] bool is_owned_by(int owner, time_point at) {
    expire(local(at));
    return is_.owner == owner;
  }
  /// Its clock was wrong, or whatever else takes a key away.
  void lose_the_key() {
    if (is_.owner != 0) free();
  }
  void save() { saved_ = is_; }
  /// Another process comes up, with nothing or with what was last saved.
  void restart(bool with_what_was_saved) {
    is_ = with_what_was_saved ? saved_ : memory{};
    if (V::notices_restart || is_.run == 0) ++run_;
    if (!V::notices_restart && is_.run != 0) is_.run = run_;
  }
  /// What no protocol may survive.
  void set_clock_forward(duration by) { ahead_ += by; }
  [[nodiscard]] bool has_forgotten() const noexcept { return is_.run != run_ || is_.prob; }

 private:
  struct memory {
    int counter = 0;
    int owner = 0;
    duration expires{};
    int run = 0;
    int list = -1;
    duration since{};
    bool prob = false;
  };

  [[nodiscard]] duration local(time_point at) const { return ahead_ + at.time_since_epoch() / 1000 * rate_; }
  [[nodiscard]] bool is_over(duration now) const {
    if (!V::has_probation) return true;
    auto const probation =
        V::probation_covers_attempts ? max_ttl * 101 / 100 + std::chrono::milliseconds(50) : max_ttl / 4;
    return is_.since + probation <= now;
  }
  void expire(duration now) {
    if (is_.owner != 0 && is_.expires <= now) free();
  }
  void free() {
    is_.owner = 0;
    is_.counter = V::freed_counter(is_.counter);
  }

  duration ahead_;
  int rate_;
  int run_ = 1;
  memory is_;
  memory saved_;
};

}  // namespace leasehold::test::quorum_schedules
