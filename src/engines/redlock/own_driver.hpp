// Decides how opening and initializing wait, which happen before there is anybody whose driver could be used: on this thread.
#pragma once

#include "model/assert.hpp"
#include "spi/task.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <memory>

namespace leasehold::inline v0_1::redlock {

class own_driver final : public spi::driver {
 public:
  template <class T>
  T run(spi::task<T> t) {
    t.start(*this);
    while (!t.done()) step();
    return t.take();
  }

  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  void wait(spi::wait_node& node) override {
    LEASEHOLD_ASSERT(node_ == nullptr && node.request.words.empty());
    node.linked = true;
    node_ = &node;
  }
  void forget(spi::wait_node& node) noexcept override {
    if (node_ == &node) node_ = nullptr;
    node.linked = false;
  }
  [[nodiscard]] bool waits_on_futex() const noexcept override { return true; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override { return std::make_shared<nobody>(); }
  void shield(bool) noexcept override {}

 private:
  /// Nothing else is under way, so there is nobody to be woken by.
  struct nobody final : spi::waker {
    void wake() noexcept override {}
  };

  void step() {
    auto& node = *node_;
    auto& request = node.request;
    auto const left = std::chrono::ceil<std::chrono::milliseconds>(request.until - now());
    auto const ms = static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1000));
    std::array<pollfd, spi::fds_max + 1> fds;
    std::size_t n = 0;
    for (auto const& w : request.fds) fds[n++] = {w.fd, w.events, 0};
    if (request.fd >= 0) fds[n++] = {request.fd, request.events, 0};
    int const ready = ::poll(fds.data(), n, ms);
    for (std::size_t i = 0; i < request.fds.size(); ++i) request.fds[i].ready = ready > 0 && fds[i].revents != 0;
    node.why = ready > 0 || now() < request.until ? spi::wake::ready : spi::wake::timeout;
    node_ = nullptr;
    node.linked = false;
    node.resume.resume();
  }

  spi::wait_node* node_ = nullptr;
};

}  // namespace leasehold::inline v0_1::redlock
