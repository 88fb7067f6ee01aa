// Decides who holds a lock by what its document says: whether a claim may have it, and what the document says afterwards. Pure.
#pragma once

#include "engines/cosmos/document.hpp"
#include "spi/backend.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <variant>

namespace leasehold::inline v0_1::cosmos {

/// How long an entry keeps the name busy from now on, as far as we know; zero or less: no longer. See `sightings`.
using time_left = std::function<duration(entry const&)>;

/// Room for the difference between our clock's rate and the holder's: what an entry's own time counts for when others judge it.
[[nodiscard]] constexpr duration with_margin(duration d) noexcept { return d + d / 100 + std::chrono::milliseconds(5); }

[[nodiscard]] entry* find_owner(document& in, std::string_view owner) noexcept;
[[nodiscard]] entry const* find_owner(document const& in, std::string_view owner) noexcept;

/// The document is to be written so: then the claim holds.
struct taking {
  document next;
  std::uint64_t token = 0;
};
struct refusal {
  duration retry_after{};  ///< when an obstacle ends if nobody renews it
  holder_info holder;
  bool has_holder = false;
};
using decision = std::variant<taking, refusal>;

/// `floor`: the token is at least this. REQUIRES: `me` is not in `now`. Errors: errc::mode_mismatch.
[[nodiscard]] result<decision> take(document const& now, entry me, mode asked, std::uint64_t floor,
                                    time_left const& left);

/// The next version of `now`. Entries of the last write get its time, which only the service knew when it was written.
[[nodiscard]] document next_version(document const& now);

/// REQUIRES: `owner` is in `now`. `hold_off` > 0: the name stays busy so much longer, held by nobody.
[[nodiscard]] document without(document const& now, std::string_view owner, duration hold_off);
[[nodiscard]] document renewed(document const& now, std::string_view owner);

/// What people see. `server_now`: its seconds, 0: unknown; `at`: the same instant on our clock.
[[nodiscard]] lock_info info_of(document const& d, std::int64_t server_now, time_point at, time_left const& left);
[[nodiscard]] holder_info holder_of(document const& d, entry const& e, std::int64_t server_now, time_point at,
                                    duration left);

}  // namespace leasehold::inline v0_1::cosmos
