// Decides what a status of the service's means: carry on, ask again, or which error with which remedy. Pure.
#pragma once

#include "engines/cosmos/message.hpp"
#include "engines/cosmos/settings.hpp"

namespace leasehold::inline v0_1::cosmos {

enum class meaning : std::uint8_t {
  done,       ///< 200, 201, 204
  unchanged,  ///< 304
  missing,    ///< 404
  conflict,   ///< 409 or 412: what was supposed of the document is not so, or was our own doing
  too_many,   ///< 429: not done; ask again after a while
  moved,      ///< 403/3: not the write region any more
  behind,     ///< 404/1002: this replica has not seen what our session has
  in_doubt,   ///< 408, 410, 449 and 5xx: a write may have been carried out, or be under way
  refused,    ///< anything else: not done, see `failure_of`
};
[[nodiscard]] meaning meaning_of(response const& r) noexcept;

/// Why a request failed whose answer is `r`. `is_write`: one in doubt is errc::outcome_unknown.
[[nodiscard]] failure failure_of(response const& r, bool is_write, settings const& where);

}  // namespace leasehold::inline v0_1::cosmos
