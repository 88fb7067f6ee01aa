#include "conformance/registry.hpp"

namespace leasehold::conformance {

std::vector<engine> const& registry() {
  static std::vector<engine> const all{
      {"cosmos", "cosmos", make_cosmos},
      {"local", "local", make_local},
      {"mem", "mem", make_mem},
      {"mem", "mem_real", make_mem_real},
      {"rabbitmq", "rabbitmq", make_rabbitmq},
      {"redis", "redis", make_redis},
      {"redlock", "redlock", make_redlock},
      {"", "sim", make_sim},
  };
  return all;
}

}  // namespace leasehold::conformance
