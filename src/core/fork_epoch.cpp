#include "core/fork_epoch.hpp"

#include <pthread.h>

#include <atomic>

namespace leasehold::inline v0_1::core {
namespace {

constinit std::atomic<std::uint32_t> epoch{0};

}  // namespace

std::uint32_t fork_epoch() noexcept {
  [[maybe_unused]] static bool const registered =
      ::pthread_atfork(nullptr, nullptr, [] { epoch.fetch_add(1, std::memory_order_relaxed); }) == 0;
  return epoch.load(std::memory_order_relaxed);
}

}  // namespace leasehold::inline v0_1::core
