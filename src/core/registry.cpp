#include "core/registry.hpp"

#include "core/lease_state.hpp"

#include <thread>

namespace leasehold::inline v0_1::core {
namespace {

class spin_guard {
 public:
  explicit spin_guard(std::atomic_flag& lock) noexcept : lock_(lock) {
    while (lock_.test_and_set(std::memory_order_acquire)) std::this_thread::yield();
  }
  spin_guard(spin_guard const&) = delete;
  ~spin_guard() { lock_.clear(std::memory_order_release); }

 private:
  std::atomic_flag& lock_;
};

std::uint32_t shard_of_this_thread() noexcept {
  static std::atomic<std::uint32_t> next{0};
  thread_local std::uint32_t const mine = next.fetch_add(1, std::memory_order_relaxed);
  return mine;
}

}  // namespace

registry::ticket registry::add(detail::lease_state& who) {
  auto const n = static_cast<std::uint32_t>(shard_of_this_thread() % shard_count);
  auto& s = shards_[n];
  spin_guard hold(s.lock);
  if (s.free.empty()) {
    s.members.push_back(&who);
    s.free.reserve(s.members.capacity());  // so that remove never allocates
    return {n, static_cast<std::uint32_t>(s.members.size() - 1)};
  }
  auto const index = s.free.back();
  s.free.pop_back();
  s.members[index] = &who;
  return {n, index};
}

void registry::remove(ticket const& where) noexcept {
  auto& s = shards_[where.shard];
  spin_guard hold(s.lock);
  s.members[where.index] = nullptr;
  s.free.push_back(where.index);
}

std::vector<std::shared_ptr<detail::lease_state>> registry::all() const {
  std::vector<std::shared_ptr<detail::lease_state>> out;
  for (auto const& s : shards_) {
    spin_guard hold(s.lock);
    for (auto* who : s.members) {
      if (who == nullptr) continue;
      if (auto alive = who->weak_from_this().lock()) out.push_back(std::move(alive));
    }
  }
  return out;
}

}  // namespace leasehold::inline v0_1::core
