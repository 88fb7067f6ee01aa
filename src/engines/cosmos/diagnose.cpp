// Decides what a health check asks of an account and its container.
#include "engines/cosmos/backend.hpp"

namespace leasehold::inline v0_1::cosmos {

spi::task<std::vector<finding>> backend::diagnose() { co_return std::vector<finding>{}; }

}  // namespace leasehold::inline v0_1::cosmos
