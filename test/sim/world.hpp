// Decides what time it is in a simulation and what happens next: one queue of events, one source of chance. A run is a
// function of its seed.
#pragma once

#include <leasehold/clock.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <random>
#include <string_view>
#include <utility>

namespace leasehold::sim {

/// The lock is recursive because an event may post, wake and draw. In the simulator proper there is one thread; in the
/// conformance suite callers' threads post requests while one thread lets time pass.
class world {
 public:
  explicit world(std::uint64_t seed) : chance_(seed) {}

  [[nodiscard]] time_point now() const {
    std::lock_guard const hold(guard_);
    return now_;
  }
  /// Events of the same instant happen in the order in which they were posted. A moment in the past is now.
  void post(time_point when, std::function<void()> what) {
    std::lock_guard const hold(guard_);
    events_.emplace(std::pair(std::max(when, now_), ++posted_), std::move(what));
  }
  [[nodiscard]] time_point next_event() const {
    std::lock_guard const hold(guard_);
    return events_.empty() ? time_point::max() : events_.begin()->first.first;
  }
  /// Lets the next event happen; false when there is none.
  bool step() {
    std::lock_guard const hold(guard_);
    if (events_.empty()) return false;
    auto node = events_.extract(events_.begin());
    now_ = node.key().first;
    node.mapped()();
    return true;
  }
  /// REQUIRES: no event is due before `when`.
  void pass_time_to(time_point when) {
    std::lock_guard const hold(guard_);
    now_ = std::max(now_, when);
  }

  /// In [0, below).
  std::uint64_t draw(std::uint64_t below) {
    std::lock_guard const hold(guard_);
    return below == 0 ? 0 : chance_() % below;
  }
  bool happens(unsigned percent) { return draw(100) < percent; }
  duration draw_between(duration least, duration most) {
    return least + duration(static_cast<duration::rep>(draw(static_cast<std::uint64_t>((most - least).count()) + 1)));
  }

  /// What happened, folded into one number: equal for equal runs.
  void note(std::string_view what, std::uint64_t who, std::uint64_t value) {
    std::lock_guard const hold(guard_);
    for (char const c : what) fold(static_cast<unsigned char>(c));
    fold(who);
    fold(value);
    fold(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  }
  [[nodiscard]] std::uint64_t hash() const {
    std::lock_guard const hold(guard_);
    return hash_;
  }
  [[nodiscard]] std::recursive_mutex& guard() const { return guard_; }

 private:
  void fold(std::uint64_t value) { hash_ = (hash_ ^ value) * 0x100000001B3ULL; }

  mutable std::recursive_mutex guard_;
  std::map<std::pair<time_point, std::uint64_t>, std::function<void()>> events_;
  std::uint64_t posted_ = 0;
  time_point now_ =
      time_point{} + std::chrono::hours(1'000'000);  // no machine's uptime: a stray read of the real clock shows
  std::mt19937_64 chance_;
  std::uint64_t hash_ = 0xCBF29CE484222325ULL;
};

}  // namespace leasehold::sim
