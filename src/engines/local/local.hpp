// Decides how the `local:` engine is opened: one memory-mapped file that all processes of one machine share.
#pragma once

#include "spi/backend.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::local {

/// `local:`, `local:system`, `local:/path`, `local:relative/path`; keys `capacity` (names, when the file is made) and
/// `futex_waitv=0` (do without that system call). There is no server to probe, so `lazy` changes nothing.
/// Errors: errc::bad_option, and those of opening the file, each with the path and what to do.
[[nodiscard]] result<spi::opened> open_local(spi::url const& url, bool lazy);
/// Creates the file if it is not there.
[[nodiscard]] result<void> initialize_local(spi::url const& url);

}  // namespace leasehold::inline v0_1::local
