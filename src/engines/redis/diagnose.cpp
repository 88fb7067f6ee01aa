#include "engines/redis/backend.hpp"

namespace leasehold::inline v0_1::redis {

spi::task<std::vector<finding>> backend::diagnose() { co_return std::vector<finding>{}; }

}  // namespace leasehold::inline v0_1::redis
