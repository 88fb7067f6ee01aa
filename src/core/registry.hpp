// Decides how a store finds its own leases again: for close, and for an engine's notice that some are gone.
#pragma once

#include "core/spin_lock.hpp"

#include <leasehold/lease.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace leasehold::inline v0_1::core {

/// A set of live leases. Adding and removing take one uncontended spin lock: leases of different threads land in different shards.
class registry {
 public:
  /// Where a lease stands among the others of its shard; part of the lease.
  struct place {
    detail::lease_state* next = nullptr;
    detail::lease_state* previous = nullptr;
  };

  /// Returns the shard it is in.
  std::uint8_t add(detail::lease_state& who) noexcept;
  void remove(detail::lease_state& who, std::uint8_t which) noexcept;
  /// Those that are not being destroyed.
  [[nodiscard]] std::vector<detail::lease_ref> all() const;

 private:
  static constexpr std::size_t shard_count = 16;
  struct alignas(64) shard {
    mutable spin_lock lock;
    detail::lease_state* first = nullptr;
  };
  std::array<shard, shard_count> shards_;
};

}  // namespace leasehold::inline v0_1::core
