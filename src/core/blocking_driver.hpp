// Decides how a task is carried out on the caller's own thread: no hop, no I/O thread.
#pragma once

#include "spi/backend.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <stop_token>

namespace leasehold::inline v0_1::core {

class thread_waker;

/// Runs one task at a time. Not thread-safe; its waker is.
class blocking_driver final : public spi::driver {
 public:
  explicit blocking_driver(spi::environment& env, std::stop_token stop = {});
  ~blocking_driver() override;

  /// Starts `t` and runs it to its end.
  template <class T>
  T run(spi::task<T> t) {
    t.start(*this);
    while (!t.done()) step(time_point::max());
    return t.take();
  }
  /// Goes on with a started task until it is done or `until`; tells which.
  template <class T>
  bool run_until(spi::task<T>& t, time_point until) {
    while (!t.done() && env_.now() < until) step(until);
    return t.done();
  }

  [[nodiscard]] time_point now() const noexcept override { return env_.now(); }
  void wait(spi::wait_node& node) override;
  void forget(spi::wait_node& node) noexcept override;
  [[nodiscard]] bool waits_on_futex() const noexcept override { return true; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override;
  void shield(bool on) noexcept override { shielded_ = on; }

 private:
  struct on_stop {
    blocking_driver* self;
    void operator()() const noexcept;
  };

  void step(time_point until);
  bool block(spi::wait_request const& request, duration at_most);
  bool block_on_many(std::span<spi::fd_wait> waits, duration at_most);
  [[nodiscard]] bool stopped() const noexcept { return !shielded_ && stop_.stop_requested(); }

  spi::environment& env_;
  std::stop_token stop_;
  std::shared_ptr<thread_waker> waker_;
  spi::wait_node* node_ = nullptr;
  /// INVARIANT: how often the waker had been called when the task was last resumed. A call since then, even one before the wait
  /// began, ends the wait: no wake-up is missed (WAIT-1).
  std::uint32_t seen_ = 0;
  bool shielded_ = false;
  std::optional<std::stop_callback<on_stop>> on_stop_;
};

}  // namespace leasehold::inline v0_1::core
