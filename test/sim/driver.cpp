#include "sim/driver.hpp"

#include "model/assert.hpp"

#include <utility>

namespace leasehold::sim {

class driver::waker final : public spi::waker {
 public:
  explicit waker(std::shared_ptr<driver*> to) : to_(std::move(to)) {}
  void wake() noexcept override {
    auto* const d = *to_;
    if (d == nullptr) return;
    woken_ = true;
    if (d->node_ != nullptr) d->fire_at(d->world_.now(), d->wait_, spi::wake::ready);
  }
  bool take() noexcept { return std::exchange(woken_, false); }

 private:
  std::shared_ptr<driver*> to_;
  bool woken_ = false;
};

driver::driver(world& in, client_clock& clock) : world_(in), clock_(clock), self_(std::make_shared<driver*>(this)) {
  waker_ = std::make_shared<waker>(self_);
}

driver::~driver() { *self_ = nullptr; }

std::shared_ptr<spi::waker> driver::get_waker() { return waker_; }

void driver::wait(spi::wait_node& node) {
  LEASEHOLD_ASSERT(node_ == nullptr && !node.linked);
  node_ = &node;
  node.linked = true;
  ++wait_;
  if (stopped_ && !shielded_) return fire_at(world_.now(), wait_, spi::wake::stopped);
  if (waker_->take()) return fire_at(world_.now(), wait_, spi::wake::ready);
  auto const until = clock_.in_world(node.request.until);
  if (until != time_point::max()) fire_at(until, wait_, spi::wake::timeout);
}

void driver::forget(spi::wait_node& node) noexcept {
  if (node_ == &node) node_ = nullptr;
  node.linked = false;
}

void driver::stop() {
  stopped_ = true;
  if (node_ != nullptr && !shielded_) fire_at(world_.now(), wait_, spi::wake::stopped);
}

void driver::fire_at(time_point when, std::uint64_t wait, spi::wake why) {
  world_.post(when, [self = self_, wait, why] {
    if (*self != nullptr) (*self)->fire(wait, why);
  });
}

void driver::fire(std::uint64_t wait, spi::wake why) {
  if (node_ == nullptr || wait != wait_) return;
  if (world_.now() < paused_until_) return fire_at(paused_until_, wait, why);
  if (why == spi::wake::ready) waker_->take();
  auto& node = *std::exchange(node_, nullptr);
  node.linked = false;
  node.why = why;
  node.resume.resume();
}

}  // namespace leasehold::sim
