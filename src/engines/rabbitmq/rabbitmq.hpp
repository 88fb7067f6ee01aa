// Decides how the `amqp:` engine is opened: one broker, or one cluster, that any number of machines share.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::rabbitmq {

/// `amqp:`, `amqps:`; keys as in settings.hpp. Unless `lazy`, connects. Errors: errc::bad_option, unavailable, auth, misconfigured, and
/// unsupported where librabbitmq is missing.
[[nodiscard]] result<spi::opened> open_rabbitmq(spi::url const& url, bool lazy);
/// Nothing has to be prepared: sees that it could be used.
[[nodiscard]] result<void> initialize_rabbitmq(spi::url const& url);

}  // namespace leasehold::inline v0_1::rabbitmq
