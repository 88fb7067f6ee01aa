// Decides what `mem:` and `mem:NAME` open: the one engine of that name in this process, on real time.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::mem {

/// errc::bad_option for an authority or an unknown query key.
result<spi::opened> open_mem(spi::url const& where, bool lazy);
result<void> initialize_mem(spi::url const& where);

}  // namespace leasehold::inline v0_1::mem
