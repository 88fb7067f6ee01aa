// Decides what a health check says about a server, from what was asked of it. Pure.
#pragma once

#include "engines/redis/resp.hpp"
#include "engines/redis/settings.hpp"

#include <leasehold/info.hpp>

#include <optional>
#include <string>
#include <vector>

namespace leasehold::inline v0_1::redis {

/// What a server told of itself. An error reply is kept where a right is missing.
struct health_facts {
  reply info;               ///< INFO
  reply guard;              ///< HGETALL of the guard
  reply script;             ///< of a harmless script on a lock's keys
  reply publish;            ///< PUBLISH to our channel
  bool subscribed = false;  ///< the connection for calls came about
  std::vector<duration> round_trips;
  std::optional<std::chrono::milliseconds> clock_offset;  ///< the server's wall clock minus ours
  std::int64_t server_ms = 0;                             ///< its wall clock
};

[[nodiscard]] std::vector<finding> findings_of(health_facts const& facts, settings const& where);

}  // namespace leasehold::inline v0_1::redis
