#include "core/fork_epoch.hpp"

#include <pthread.h>

namespace leasehold::inline v0_1::core {

constinit std::atomic<std::uint32_t> fork_epoch_word{0};

void watch_forks() noexcept {
  [[maybe_unused]] static bool const registered =
      ::pthread_atfork(nullptr, nullptr, [] { fork_epoch_word.fetch_add(1, std::memory_order_relaxed); }) == 0;
}

}  // namespace leasehold::inline v0_1::core
