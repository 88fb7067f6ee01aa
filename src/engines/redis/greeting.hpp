// Decides what is said first on a connection, and whether a server that answers so is one to lock on. Pure.
#pragma once

#include "engines/redis/resp.hpp"
#include "engines/redis/settings.hpp"

#include <leasehold/result.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::redis {

/// One command of the greeting, and what its reply has to be.
struct greeting_step {
  std::string bytes;
  result<void> (*check)(reply const&, settings const&);
};
using greeting = std::vector<greeting_step>;

/// Who we are, which database, and what the server is.
[[nodiscard]] greeting greeting_for_requests(settings const& to);
/// As which user, and the channel.
[[nodiscard]] greeting greeting_for_messages(settings const& to, std::string_view channel);

/// The value of `key` in the text of INFO; empty: absent.
[[nodiscard]] std::string_view info_value(std::string_view info, std::string_view key) noexcept;
/// Refuses a server that may forget a lock (eviction) or is no arbiter (a replica, a cluster, no run id). `info`: INFO's text.
[[nodiscard]] result<void> check_server(std::string_view info, settings const& where);

}  // namespace leasehold::inline v0_1::redis
