// Decides how a holder describes itself in the server: one line of key=value pairs, percent-escaped, readable by people. Pure.
#pragma once

#include "spi/backend.hpp"

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::redis {

/// What a claim says of itself: `&ttl=<ms>&d=<ms of lock delay>&id=…&host=…&pid=…&why=…&l.<key>=<value>…`. The claim puts
/// `o=<owner>` before it, and the server `v=1&t=<token>&at=<ms of its clock>&` when it grants.
[[nodiscard]] std::string describe(spi::claim_spec const& spec, duration ttl);

[[nodiscard]] std::string escaped(std::string_view text);

/// What a server's line says, up to its end. Unknown keys are skipped; numbers that are none read as absent.
struct description {
  holder_info who;  ///< without times of day
  std::string owner;
  std::int64_t at_ms = 0;    ///< granted at, on the server's clock; 0: unknown
  std::int64_t gone_ms = 0;  ///< seen to have ended without a release; 0: never seen
  duration lock_delay{};
};
[[nodiscard]] description read_description(std::string_view line);

}  // namespace leasehold::inline v0_1::redis
