// Decides how the `redis:` engine is opened: one server that any number of machines share.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::redis {

/// `redis:`, `rediss:`, `redis+unix:`; keys as in settings.hpp. Unless `lazy`, connects and refuses a server that is no safe arbiter.
/// Errors: errc::bad_option, unavailable, auth, misconfigured.
[[nodiscard]] result<spi::opened> open_redis(spi::url const& url, bool lazy);
/// Asserts that nothing is held: locks are granted at once, whatever the server may have forgotten.
[[nodiscard]] result<void> initialize_redis(spi::url const& url);

}  // namespace leasehold::inline v0_1::redis
