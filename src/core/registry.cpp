#include "core/registry.hpp"

#include "core/lease_state.hpp"

#include <mutex>

namespace leasehold::inline v0_1::core {
namespace {

std::uint32_t shard_of_this_thread() noexcept {
  static std::atomic<std::uint32_t> next{0};
  thread_local std::uint32_t const mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace

std::uint8_t registry::add(detail::lease_state& who) noexcept {
  auto const n = static_cast<std::uint8_t>(shard_of_this_thread() % shard_count);
  auto& s = shards_[n];
  std::lock_guard const hold(s.lock);
  who.place = {s.first, nullptr};
  if (s.first != nullptr) s.first->place.previous = &who;
  s.first = &who;
  return n;
}

void registry::remove(detail::lease_state& who, std::uint8_t which) noexcept {
  auto& s = shards_[which];
  std::lock_guard const hold(s.lock);
  auto const [next, previous] = who.place;
  (previous != nullptr ? previous->place.next : s.first) = next;
  if (next != nullptr) next->place.previous = previous;
}

std::vector<detail::lease_ref> registry::all() const {
  std::vector<detail::lease_ref> out;
  for (auto const& s : shards_) {
    std::lock_guard const hold(s.lock);
    for (auto* who = s.first; who != nullptr; who = who->place.next) {
      if (auto alive = who->share_if_alive()) out.push_back(std::move(alive));
    }
  }
  return out;
}

}  // namespace leasehold::inline v0_1::core
