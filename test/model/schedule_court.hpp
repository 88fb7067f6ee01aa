// Decides what must hold in every schedule: nobody is held beside anybody, and tokens grow. It reads true time, which no client can.
#pragma once

#include <leasehold/clock.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace leasehold::test::quorum_schedules {

inline constexpr int client_count = 3;

/// SplitMix64 (Steele, Lea, Flood): one seed is one schedule.
class dice {
 public:
  explicit dice(std::uint64_t seed) : state_(seed) {}
  std::uint64_t roll() {
    auto z = state_ += 0x9E3779B97F4A7C15U;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
  }
  int below(int n) { return static_cast<int>(roll() % static_cast<std::uint64_t>(n)); }
  bool one_in(int n) { return below(n) == 0; }
  bool percent(int p) { return below(100) < p; }
  duration between(duration least, duration most) {
    if (most <= least) return least;
    return least + duration(static_cast<duration::rep>(roll() % static_cast<std::uint64_t>((most - least).count())));
  }

 private:
  std::uint64_t state_;
};

class court {
 public:
  int new_owner() { return ++owners_; }
  /// The largest token of those that have been held.
  [[nodiscard]] int largest() const noexcept { return largest_; }
  /// `floor`: the largest when the attempt began.
  void held(int client, int token, int floor, time_point now, time_point until) {
    ++grants;
    served |= 1U << client;
    if (std::find(tokens_.begin(), tokens_.end(), token) != tokens_.end())
      accuse("token " + std::to_string(token) + " was given out twice");
    if (token <= floor) accuse("token " + std::to_string(token) + " is below an earlier one");
    tokens_.push_back(token);
    largest_ = std::max(largest_, token);
    goes_on(client, now, until);
  }
  /// A holder believes in its lease up to `until`, at least.
  void goes_on(int client, time_point now, time_point until) {
    for (int other = 0; other < client_count; ++other) {
      bool const holds = until_[static_cast<std::size_t>(other)] > now;
      if (other != client && holds && judges_exclusion) accuse("two holders");
    }
    until_[static_cast<std::size_t>(client)] = until;
  }
  void ended(int client) { until_[static_cast<std::size_t>(client)] = {}; }
  void accuse(std::string what) {
    if (violation.empty()) violation = std::move(what);
  }

  bool judges_exclusion =
      true;  ///< false where keys go away at any moment: tokens have to stand that, exclusion does not
  std::string violation;
  bool is_mended = false;  ///< whoever holds does so briefly, so that chance leaves nobody out
  int grants = 0;
  std::uint32_t served = 0;  ///< clients that have held since this was last cleared

 private:
  std::vector<int> tokens_;
  std::array<time_point, client_count> until_{};
  int largest_ = 0;
  int owners_ = 100;
};

}  // namespace leasehold::test::quorum_schedules
