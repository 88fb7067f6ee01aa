#include "conformance/registry.hpp"

namespace leasehold::conformance {

std::vector<engine> const& registry() {
  static std::vector<engine> const all{
      {"local", "local", make_local},
      {"mem", "mem", make_mem},
      {"", "sim", make_sim},
  };
  return all;
}

}  // namespace leasehold::conformance
