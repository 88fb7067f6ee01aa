// Decides how the `redlock:` engine is opened: several independent nodes, of which a majority decides.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::redlock {

/// `redlock://…` or `redlock:?node=…`, as in settings.hpp. Unless `lazy`, asks all nodes and refuses a list without a majority, or with
/// one server in it twice. Errors: errc::bad_option, unavailable, auth, misconfigured.
[[nodiscard]] result<spi::opened> open_redlock(spi::url const& url, bool lazy);
/// Asserts that nothing is held, on every node: all of them vote from now on, and belong to this list.
[[nodiscard]] result<void> initialize_redlock(spi::url const& url);

}  // namespace leasehold::inline v0_1::redlock
