#include "engines/cosmos/crowd.hpp"

#include "model/assert.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::cosmos {

void crowd::seat::wait(spi::wait_node& node) {
  LEASEHOLD_ASSERT(node_ == nullptr && node.request.fd < 0 && node.request.fds.empty() && node.request.words.empty());
  node.linked = true;
  node_ = &node;
}

void crowd::seat::forget(spi::wait_node& node) noexcept {
  if (node_ == &node) node_ = nullptr;
  node.linked = false;
}

time_point crowd::seat::turn(bool stopped) {
  while (node_ != nullptr) {
    bool const rung = bell_->rung.exchange(false);
    bool const late = under_.now() >= node_->request.until;
    if (!rung && !late && !stopped) return node_->request.until;
    auto& node = *node_;
    node.why = stopped ? spi::wake::stopped : late ? spi::wake::timeout : spi::wake::ready;
    forget(node);
    node.resume.resume();
  }
  return time_point::max();
}

spi::task<void> crowd::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  std::size_t next = 0;
  bool stopped = false;
  while (next < claims.size() || !members_.empty()) {
    while (next < claims.size() && members_.size() < at_once) {
      auto one = std::make_unique<member>(under_);
      one->index = next;
      one->work.emplace(claims[next++]->renew());
      one->work->start(one->on);
      members_.push_back(std::move(one));
    }
    auto until = time_point::max();
    for (auto const& m : members_) until = std::min(until, m->on.turn(stopped));
    auto const ended = std::erase_if(members_, [&](auto const& m) {
      if (!m->work->done()) return false;
      out[m->index] = m->work->take();
      return true;
    });
    if (ended > 0) continue;
    spi::wait_request sleep{};
    sleep.until = until;
    stopped = co_await spi::wait_on(sleep) == spi::wake::stopped;
  }
}

}  // namespace leasehold::inline v0_1::cosmos
