// Decides how a task is carried out by somebody else's event loop: what it waits for is folded into one epoll descriptor.
#pragma once

#include "core/poll_set.hpp"
#include "spi/backend.hpp"

#include <memory>
#include <stop_token>

namespace leasehold::inline v0_1::core {

/// Not thread-safe; its waker is. Nothing here blocks.
class foreign_driver final : public spi::driver {
 public:
  /// Throws leasehold::error (errc::unavailable) when the process has no descriptors left.
  explicit foreign_driver(std::shared_ptr<spi::environment> env);
  ~foreign_driver() override;

  /// Readable when `advance` has something to do. Once a task is started `advance` has: it comes first.
  [[nodiscard]] int descriptor() const noexcept { return set_->epoll(); }
  /// Resumes what is ready until nothing is. Call once after starting a task, then whenever `descriptor` is readable.
  void advance();
  /// From any thread: ends waits with `stopped`.
  void stop() noexcept;

  [[nodiscard]] time_point now() const noexcept override { return env_->now(); }
  void wait(spi::wait_node& node) override;
  void forget(spi::wait_node& node) noexcept override;
  [[nodiscard]] bool waits_on_futex() const noexcept override { return false; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override;
  void shield(bool on) noexcept override { shielded_ = on; }

 private:
  void arm();
  void disarm() noexcept;
  [[nodiscard]] bool ready(spi::wake& why);
  [[nodiscard]] static bool look(std::span<spi::fd_wait> waits);

  std::shared_ptr<spi::environment> env_;
  poll_set::borrowed set_;
  int armed_fd_ = -1;
  spi::wait_node* node_ = nullptr;
  bool shielded_ = false;
};

}  // namespace leasehold::inline v0_1::core
