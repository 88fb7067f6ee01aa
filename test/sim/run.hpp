// Decides what a simulated run is: a safety phase full of faults, a heal, a liveness phase; the history of all of it,
// checked.
#pragma once

#include "sim/faulty.hpp"
#include "sim/server.hpp"
#include "support/history.hpp"

#include <cstdint>
#include <vector>

namespace leasehold::sim {

struct run_options {
  std::uint64_t seed = 0;
  std::uint32_t clients = 5;
  duration safety_phase = std::chrono::seconds(40);
  duration liveness_bound = std::chrono::seconds(200);
  client_mutation client{};
  server_mutation server{};
};

struct run_outcome {
  std::vector<test::violation> violations;
  bool everyone_served = false;
  std::uint64_t hash = 0;
  std::size_t grants = 0;
  std::size_t unknowns = 0;
  duration took{};  ///< simulated
};

[[nodiscard]] run_outcome run(run_options const& options);

}  // namespace leasehold::sim
