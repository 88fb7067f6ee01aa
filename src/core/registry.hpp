// Decides how a store finds its own leases again: for close, and for an engine's notice that some are gone.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace leasehold::inline v0_1::detail {
class lease_state;
}

namespace leasehold::inline v0_1::core {

/// A set of live leases. Adding and removing take one uncontended spin lock: leases of different threads land in different shards.
class registry {
 public:
  /// The place of one lease; embedded in nobody, found by its index.
  struct ticket {
    std::uint32_t shard = 0;
    std::uint32_t index = 0;
  };

  ticket add(detail::lease_state& who);
  void remove(ticket const& where) noexcept;
  [[nodiscard]] std::vector<std::shared_ptr<detail::lease_state>> all() const;

 private:
  static constexpr std::size_t shard_count = 16;
  struct alignas(64) shard {
    mutable std::atomic_flag lock;
    std::vector<detail::lease_state*> members;
    std::vector<std::uint32_t> free;
  };
  std::array<shard, shard_count> shards_;
};

}  // namespace leasehold::inline v0_1::core
