// Decides how opening and initializing wait, which happen before there is anybody whose driver could be used: on this thread.
#pragma once

#include "model/assert.hpp"
#include "spi/task.hpp"

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>

namespace leasehold::inline v0_1::cosmos {

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
    LEASEHOLD_ASSERT(node_ == nullptr && node.request.fd < 0 && node.request.words.empty());
    node.linked = true;
    node_ = &node;
  }
  void forget(spi::wait_node& node) noexcept override {
    if (node_ == &node) node_ = nullptr;
    node.linked = false;
  }
  [[nodiscard]] bool waits_on_futex() const noexcept override { return true; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override { return bell_; }
  void shield(bool) noexcept override {}

 private:
  struct bell final : spi::waker {
    void wake() noexcept override {
      std::lock_guard const hold(guard);
      rung = true;
      heard.notify_one();
    }
    std::mutex guard;
    std::condition_variable heard;
    bool rung = false;
  };

  void step() {
    auto& node = *node_;
    {
      std::unique_lock hold(bell_->guard);
      auto const left = std::clamp<duration>(node.request.until - now(), duration::zero(), std::chrono::seconds(1));
      bell_->heard.wait_for(hold, left, [this] { return bell_->rung; });
      node.why =
          std::exchange(bell_->rung, false) || now() < node.request.until ? spi::wake::ready : spi::wake::timeout;
    }
    node_ = nullptr;
    node.linked = false;
    node.resume.resume();
  }

  std::shared_ptr<bell> const bell_ = std::make_shared<bell>();
  spi::wait_node* node_ = nullptr;
};

}  // namespace leasehold::inline v0_1::cosmos
