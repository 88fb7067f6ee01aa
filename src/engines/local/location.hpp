// Decides which file a `local:` URL means.
#pragma once

#include "engines/local/file.hpp"
#include "spi/url.hpp"

namespace leasehold::inline v0_1::local {

/// What the answer depends on.
struct surroundings {
  std::string state_home;  ///< XDG_STATE_HOME
  std::string home;
  u32 uid = 0;
  std::string temporary = "/var/tmp";
  std::string system = "/var/lib/leasehold";
  bool (*is_remote)(std::string const& directory) = nullptr;  ///< the nearest existing parent counts
};
[[nodiscard]] surroundings current_surroundings();

/// errc::bad_option for an unknown key or a capacity out of range; errc::misconfigured when no directory is known.
[[nodiscard]] result<location> locate_store(spi::url const& url, surroundings const& around);

}  // namespace leasehold::inline v0_1::local
