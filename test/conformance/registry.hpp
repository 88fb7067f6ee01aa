// Decides which engines the suite runs on: every folder of src/engines, and the simulator.
#pragma once

#include "conformance/fixture.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace leasehold::conformance {

struct engine {
  std::string_view folder;             ///< in src/engines; empty for the simulator, which is none
  std::string_view label;              ///< of its tests
  std::unique_ptr<fixture> (*make)();  ///< null where what it needs is not installed: its tests are then skipped
};

[[nodiscard]] std::vector<engine> const& registry();

std::unique_ptr<fixture> make_cosmos();
std::unique_ptr<fixture> make_local();
std::unique_ptr<fixture> make_mem();
std::unique_ptr<fixture> make_mem_real();
std::unique_ptr<fixture> make_rabbitmq();
std::unique_ptr<fixture> make_redis();
std::unique_ptr<fixture> make_redlock();
std::unique_ptr<fixture> make_sim();

}  // namespace leasehold::conformance
