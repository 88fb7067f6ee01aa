// Decides when a simulated client's coroutine goes on: on its timer, its waker or a stop, but never while the client is
// paused.
#pragma once

#include "sim/clock.hpp"
#include "spi/driver.hpp"

#include <memory>

namespace leasehold::sim {

/// One coroutine at a time; single-threaded.
class driver final : public spi::driver {
 public:
  driver(world& in, client_clock& clock);
  ~driver() override;

  [[nodiscard]] time_point now() const noexcept override { return clock_.now(); }
  void wait(spi::wait_node& node) override;
  void forget(spi::wait_node& node) noexcept override;
  [[nodiscard]] bool waits_on_futex() const noexcept override { return false; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override;
  void shield(bool on) noexcept override { shielded_ = on; }

  /// Everything this client does is put off until then; its clock runs on.
  void pause_until(time_point when) noexcept { paused_until_ = when; }
  void stop();
  /// How many waits have begun.
  [[nodiscard]] std::uint64_t waits() const noexcept { return wait_; }

 private:
  class waker;
  void fire_at(time_point when, std::uint64_t wait, spi::wake why);
  void fire(std::uint64_t wait, spi::wake why);

  world& world_;
  client_clock& clock_;
  std::shared_ptr<waker> waker_;
  std::shared_ptr<driver*> self_;  // null once this is gone: events in the queue outlive a crashed client
  spi::wait_node* node_ = nullptr;
  std::uint64_t wait_ = 0;  // which wait it is; an event of an earlier one does nothing
  time_point paused_until_{};
  bool shielded_ = false;
  bool stopped_ = false;
};

}  // namespace leasehold::sim
