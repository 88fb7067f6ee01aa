// Decides what a health check asks of a broker.
#include "engines/rabbitmq/backend.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::rabbitmq {

spi::task<std::vector<finding>> backend::diagnose() { co_return std::vector<finding>{}; }

}  // namespace leasehold::inline v0_1::rabbitmq
