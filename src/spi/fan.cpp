#include "spi/fan.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::spi {

fan_waits::fan_waits(driver& under) : under_(under) {
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    seats_[i].of_ = this;
    seats_[i].index_ = i;
  }
}

void fan_waits::seat_driver::wait(wait_node& node) {
  LEASEHOLD_ASSERT(node_ == nullptr && !node.linked && node.request.words.empty() && node.request.fds.empty());
  node.linked = true;
  node_ = &node;
}

void fan_waits::seat_driver::forget(wait_node& node) noexcept {
  if (node_ == &node) node_ = nullptr;
  node.linked = false;
}

std::shared_ptr<waker> fan_waits::seat_driver::get_waker() {
  auto& bell_of = of_->bell_;
  if (!bell_of) {
    bell_of = std::make_shared<bell>();
    bell_of->under = of_->under_.get_waker();
    for (std::size_t i = 0; i < bell_of->clappers.size(); ++i) {
      bell_of->clappers[i].of = bell_of.get();
      bell_of->clappers[i].index = i;
    }
  }
  return {bell_of, &bell_of->clappers[index_]};
}

/// One wait for all of `who`.
wait_request fan_waits::gathered(std::uint32_t who, time_point until) {
  wait_request all;
  all.until = until;
  std::size_t n = 0;
  for (auto left = who; left != 0; left &= left - 1) {
    auto& seat = seats_[static_cast<std::size_t>(std::countr_zero(left))];
    LEASEHOLD_ASSERT(seat.node_ != nullptr);
    auto const& request = seat.node_->request;
    all.until = std::min(all.until, request.until);
    seat.fd_ = nullptr;
    if (request.fd < 0) continue;
    seat.fd_ = &fds_[n++];
    *seat.fd_ = {request.fd, request.events, false};
  }
  all.fds = std::span(fds_).first(n);
  return all;
}

void fan_waits::resume(std::uint32_t who, wake how) {
  auto const woken = bell_ ? bell_->woken.exchange(0) : 0U;
  auto const now = under_.now();
  for (auto left = who; left != 0; left &= left - 1) {
    auto const i = static_cast<std::size_t>(std::countr_zero(left));
    auto& seat = seats_[i];
    auto why = wake::ready;
    if (how == wake::stopped) {
      why = wake::stopped;
    } else if ((woken >> i & 1) == 0 && (seat.fd_ == nullptr || !seat.fd_->ready)) {
      if (now < seat.node_->request.until) continue;
      why = wake::timeout;
    }
    auto& node = *std::exchange(seat.node_, nullptr);
    node.linked = false;
    node.why = why;
    node.resume.resume();
  }
}

task<wake> fan_waits::step(std::uint32_t who, time_point until) {
  auto how = wake::ready;
  if (!bell_ || (bell_->woken.load() & who) == 0) {
    auto const request = gathered(who, until);
    how = co_await wait_on(request);
  }
  resume(who, how);
  co_return how == wake::timeout&& under_.now() < until ? wake::ready : how;
}

}  // namespace leasehold::inline v0_1::spi
