// Decides how an opened backend becomes a public store; defined by core, used by engines that are opened without a URL (mem).
#pragma once

#include "spi/backend.hpp"

#include <leasehold/store.hpp>

namespace leasehold::inline v0_1::spi {

/// Errors: errc::unsupported when `options.require` asks for more than the backend's traits.
[[nodiscard]] LEASEHOLD_API result<store> connect(opened engine, open_options const& options);
/// The backend under a store; null for an empty one.
[[nodiscard]] LEASEHOLD_API backend* backend_of(store const& s) noexcept;
/// Carries out every renewal, deadline and notice of the store that is due now, on the calling thread; returns when the next one
/// is due. For engines with virtual time, whose `advance` steps from one such moment to the next.
[[nodiscard]] LEASEHOLD_API time_point run_due(store const& s);

}  // namespace leasehold::inline v0_1::spi
