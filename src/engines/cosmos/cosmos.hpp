// Decides how `cosmos:` is opened and made ready.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::cosmos {

result<spi::opened> open_cosmos(spi::url const& url, bool lazy);
/// Creates database and container where they are missing.
result<void> initialize_cosmos(spi::url const& url);

}  // namespace leasehold::inline v0_1::cosmos
