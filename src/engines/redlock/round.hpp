// Decides what is kept of one attempt while it is under way.
#pragma once

#include "engines/redlock/claim.hpp"

namespace leasehold::inline v0_1::redlock {

struct redlock_claim::round {
  round(spi::driver& on, std::size_t nodes) : asks(on), machine(nodes), said(nodes) {}

  spi::fan<heard> asks;
  model::quorum_machine machine;
  ballot said;
  model::quorum_step step{};
  time_point begun{};
  time_point until{};
  model::node_set granted = 0;
  model::node_set unknown = 0;     ///< asked, and perhaps granted
  model::node_set returning = 0;   ///< waits to be told a counter
  std::optional<duration> left{};  ///< of what was adopted, where it is least
};

}  // namespace leasehold::inline v0_1::redlock
