// Decides how work is done once per key and window: a lock, a completion recorded only by its holder, and a stored result.
#pragma once

#include <leasehold/lease.hpp>
#include <leasehold/options.hpp>
#include <leasehold/store.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1 {

struct once_options {
  /// As `acquire_options::ttl`: an attempt that says nothing for this long may be succeeded by another.
  std::optional<duration> ttl{};
  /// How long to wait for somebody else's attempt: absent = without bound, 0 = not at all.
  std::optional<duration> wait{};
  std::string_view identity{};
  std::string_view reason{};
  std::span<label const> labels{};
  requirements require{};
};

struct once_result {
  std::string value;                   ///< what the work returned, now or when it was completed
  bool ran = false;                    ///< this call did the work
  std::optional<std::uint64_t> token;  ///< of the attempt that completed it
};

/// Does `work` unless it was completed under `key` within the last `window`; then gives back what it returned at that time.
///
/// The lock named `key` is held while `work` runs on the calling thread, and its result is recorded before the lock is given back. At most
/// one completion is recorded per window: the engine refuses the record of an attempt that has lost the lock in the meantime.
/// `work` itself may run more than once: whoever crashes, freezes past its TTL, or loses its connection after the work and before the
/// record leaves it to the next caller, which finds the last note of that attempt in `lease::previous()`. So `work` must be one that may
/// be repeated, or hand `lease::token()` to what it writes to.
///
/// `window`: how long the completion is remembered, by the engine's own clock; 1 ms to 366 days (errc::bad_option). An engine that forgets
/// its locks forgets completions too (`local:` with a restart of the machine).
/// Errors: as `store::acquire` and `lease::complete`. If the result could not be recorded the error says so, although the work was done:
/// errc::lost (another attempt may run, or have run), errc::bad_option (the result is longer than `traits().result_bytes_max`),
/// errc::outcome_unknown. What `work` throws is rethrown; nothing is recorded then. errc::unsupported before anything is done on an engine that
/// records no completions.
LEASEHOLD_API once_result once(store const& where, std::string_view key, duration window,
                               std::function<std::string(lease&)> const& work, once_options const& options = {},
                               std::stop_token stop = {});

}  // namespace leasehold::inline v0_1
