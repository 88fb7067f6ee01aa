// Decides what can be seen of a lock from outside: its holders, its line, and what a health check finds.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1 {

/// Somebody who holds, or waits for, a name. Times are on leasehold::clock; what an engine does not tell is empty or absent.
struct holder_info {
  std::string identity;
  std::string host;
  std::string user;
  std::int64_t pid = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> labels;
  std::optional<std::uint64_t> token;
  std::optional<time_point> acquired_at;
  std::optional<time_point> renewed_at;
  std::optional<time_point> expires_at;  ///< absent: no TTL
  std::optional<duration> ttl;
  bool foreign = false;  ///< not a leasehold client (another library speaking the engine's convention)
  std::string note{};    ///< what it last wrote with `lease::note`
};

/// A holder that ended without releasing: it died, or its time ran out. An eviction is neither.
struct previous_holder {
  enum class ending {
    died,     ///< its process ended
    expired,  ///< its TTL passed; it may be dead, frozen or cut off
  };
  holder_info who;  ///< its last note included
  ending how = ending::expired;
  time_point ended_at{};  ///< exact for an expiry that the engine dates, else when its end was noticed
};

/// What was recorded under a name with `lease::complete`.
struct completion {
  std::string result;
  std::optional<std::uint64_t> token;  ///< of the lease that completed it
  time_point until{};                  ///< when the engine forgets it
};

/// `free`: nobody. `held`: at least one holder. `held_off`: nobody may hold until `free_at` (after an eviction or a crash with
/// a lock delay). `overdue`: a holder past its TTL that nobody has replaced yet.
enum class lock_state { free, held, held_off, overdue };

struct lock_info {
  std::string name;
  lock_state state = lock_state::free;
  leasehold::mode mode;
  std::vector<holder_info> holders;
  std::vector<holder_info> waiters;  ///< in line order where the engine keeps one
  std::optional<time_point> free_at;
};

/// One line of a health check. `id` is stable (for instance "local/filesystem").
struct finding {
  enum class level { pass, warn, fail };
  level severity = level::pass;
  std::string id;
  std::string text;
  std::string remedy;
};

}  // namespace leasehold::inline v0_1
