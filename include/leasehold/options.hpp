// Decides what a caller may ask for. Every struct here is an aggregate of trivially destructible members, so a braced temporary
// is safe inside a `co_await` expression with g++ 12 too; calls copy the views before they return or suspend.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace leasehold::inline v0_1 {

struct label {
  std::string_view key;
  std::string_view value;
};

enum class renewal {
  automatic,  ///< the keeper renews at a third of the TTL
  manual,     ///< only `lease::renew()` does
};

struct acquire_options {
  /// What the engine grants at a time. Absent: the engine's default (`traits().ttl_default`; `local:` has none).
  std::optional<duration> ttl{};
  /// How long to wait: absent = without bound, 0 = one try. Ignored by `try_acquire`.
  std::optional<duration> wait{};
  leasehold::mode mode = leasehold::mode::exclusive();
  renewal renew = renewal::automatic;
  /// The lease ends (errc::lost) this long after it was granted, renewed or not. Absent: no bound.
  std::optional<duration> max_hold{};
  /// A release is put off until the lease is this old (short jobs plus skewed clocks would otherwise run twice). The release
  /// call itself does not wait: the engine, or the keeper, frees the name then.
  duration hold_at_least{};
  /// After the holder's death or eviction, as against a release, the name stays busy this long (Chubby's lock-delay).
  duration lock_delay{};
  std::string_view identity{};  ///< empty: host/pid
  std::string_view reason{};
  std::span<label const> labels{};
  requirements require{};
};

struct open_options {
  requirements require{};
  std::string_view identity{};           ///< the default of every acquire on this store
  std::string_view name_space{};         ///< put before every name; empty = the interoperable default
  std::optional<duration> op_timeout{};  ///< absent: min(5 s, TTL/4)
};

struct evict_options {
  std::string_view reason{};
  /// Free the name at once. The default keeps it busy until the evicted lease's granted TTL has passed, because the old holder
  /// may go on believing in it until then, and for its `lock_delay`.
  bool now = false;
};

}  // namespace leasehold::inline v0_1
