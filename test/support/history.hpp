// Decides whether what clients saw could have come from a correct lock: exclusion, tokens, final loss, justified
// refusals. Pure.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace leasehold::test {

/// `unknown`: may have taken effect, at any moment after it was invoked, and may still occupy the name.
enum class outcome { granted, refused, unknown, failed };

struct sighting {
  time_point at;
  bool held = false;
};

/// One acquisition as its client saw it. All times on one clock.
struct operation {
  std::uint32_t client = 0;
  std::string name{};
  leasehold::mode mode{};
  time_point invoked{};
  time_point returned{};
  test::outcome outcome = outcome::failed;
  std::optional<std::uint64_t> token{};  ///< of a grant
  time_point held_until{};               ///< of a grant: until when the client relied on it; before a release was sent
  time_point gone_by = time_point::max();  ///< when it surely no longer occupied the name, or its place in line
  std::vector<sighting> sightings{};       ///< of a grant: what `held()` said
};

enum class violation_kind {
  overlap,
  over_capacity,
  token_missing,
  token_order,
  resurrected,
  groundless_refusal,
  malformed
};

struct violation {
  violation_kind kind;
  std::string text;
};

struct rules {
  bool tokens = true;     ///< grants carry tokens, and they grow
  bool refusals = false;  ///< a refusal needs somebody in the way
};

/// Empty when the history is one of a correct lock.
[[nodiscard]] std::vector<violation> check_history(std::span<operation const> history, rules const& which = {});
/// For test messages.
[[nodiscard]] std::string to_string(std::vector<violation> const& all);

}  // namespace leasehold::test
