// Decides what a redlock URL says: which nodes, and how clients make sure that they mean the same ones. Pure.
#pragma once

#include "spi/node.hpp"
#include "spi/url.hpp"

#include <leasehold/clock.hpp>

#include <vector>

namespace leasehold::inline v0_1::redlock {

inline constexpr std::size_t nodes_least = 3;

struct settings {
  std::vector<spi::url> nodes;
  spi::node_terms terms;
  duration max_ttl = std::chrono::seconds(60);
  std::string url;  ///< as given, without secrets
};

/// Of `redlock://[user[:password]@]host[:port],host…[/db]` (all alike) or `redlock:?node=<percent-encoded URL>&node=…`; keys
/// `max_ttl`, and `list`: a name for the list of nodes, where clients reach them by different addresses. Errors: errc::bad_option.
[[nodiscard]] result<settings> settings_of(spi::url const& u);

}  // namespace leasehold::inline v0_1::redlock
