#include "core/foreign_driver.hpp"

#include "model/assert.hpp"

#include <poll.h>

#include <array>

namespace leasehold::inline v0_1::core {

foreign_driver::foreign_driver(std::shared_ptr<spi::environment> env) : env_(std::move(env)), set_(poll_set::borrow()) {
  if (env_->is_virtual()) env_->add_sleeper(set_->waker());
}

foreign_driver::~foreign_driver() {
  if (env_->is_virtual()) env_->remove_sleeper(set_->waker().get());
}

std::shared_ptr<spi::waker> foreign_driver::get_waker() { return set_->waker(); }

void foreign_driver::stop() noexcept {
  set_->waker()->stopped.store(true);
  set_->waker()->wake();
}

void foreign_driver::wait(spi::wait_node& node) {
  LEASEHOLD_ASSERT(node_ == nullptr && !node.linked && node.request.words.empty());
  node.linked = true;
  node_ = &node;
  arm();
}

void foreign_driver::forget(spi::wait_node& node) noexcept {
  if (node_ == &node) disarm();
}

void foreign_driver::arm() {
  auto const& request = node_->request;
  if (request.until == time_point{}) return;  // it goes on with the next `advance`
  if (request.fd >= 0) {
    armed_fd_ = request.fd;
    set_->add(armed_fd_, request.events);
  }
  for (auto const& w : request.fds) set_->add(w.fd, w.events);
  set_->ring_by(env_->is_virtual() ? time_point::max() : request.until);
}

void foreign_driver::disarm() noexcept {
  if (armed_fd_ >= 0) set_->remove(armed_fd_);
  armed_fd_ = -1;
  for (auto const& w : node_->request.fds) set_->remove(w.fd);
  node_->linked = false;
  node_ = nullptr;
}

/// Marks those that are ready; whether there are any.
bool foreign_driver::look(std::span<spi::fd_wait> waits) {
  if (waits.empty()) return false;
  std::array<pollfd, spi::fds_max> fds;
  LEASEHOLD_ASSERT(waits.size() <= fds.size());
  for (std::size_t i = 0; i < waits.size(); ++i) fds[i] = {waits[i].fd, waits[i].events, 0};
  bool const any = ::poll(fds.data(), waits.size(), 0) > 0;
  for (std::size_t i = 0; i < waits.size(); ++i) waits[i].ready = any && fds[i].revents != 0;
  return any;
}

bool foreign_driver::ready(spi::wake& why) {
  bool const woken = set_->waker()->take();
  if (set_->waker()->stopped.load() && !shielded_) {
    why = spi::wake::stopped;
    return true;
  }
  if (now() >= node_->request.until) {
    why = spi::wake::timeout;
    return true;
  }
  why = spi::wake::ready;
  bool const any = look(node_->request.fds);
  if (woken || any) return true;
  if (armed_fd_ < 0) return false;
  pollfd p{armed_fd_, node_->request.events, 0};
  return ::poll(&p, 1, 0) > 0;
}

void foreign_driver::advance() {
  spi::wake why{};
  while (node_ != nullptr) {
    if (!ready(why)) {
      if (!env_->is_virtual()) set_->ring_by(node_->request.until);  // it may have rung for an earlier wait
      return;
    }
    auto& node = *node_;
    disarm();
    node.why = why;
    node.resume.resume();
  }
}

}  // namespace leasehold::inline v0_1::core
