// Decides what kernel objects an operation on a foreign event loop waits with, and that they serve one operation after the other.
#pragma once

#include "spi/driver.hpp"

#include <leasehold/clock.hpp>

#include <atomic>
#include <cstdint>
#include <memory>

namespace leasehold::inline v0_1::core {

class eventfd_waker final : public spi::waker {
 public:
  eventfd_waker();
  ~eventfd_waker() override;
  void wake() noexcept override;
  /// True if it had been woken since the last call.
  bool take() noexcept;
  [[nodiscard]] int fd() const noexcept { return fd_; }
  std::atomic<bool> stopped{false};

 private:
  int fd_;
  std::atomic<bool> written_{false};  ///< spares a read that would find nothing
};

/// An epoll descriptor with a timer (CLOCK_BOOTTIME) and a waker in it. Making one takes a handful of system calls and three
/// descriptors, so those that were given back are lent again, to one borrower at a time.
class poll_set {
 public:
  struct give_back {
    void operator()(poll_set* which) const noexcept;
  };
  using borrowed = std::unique_ptr<poll_set, give_back>;

  /// Throws leasehold::error (errc::unavailable) when the process has no descriptors left. Thread-safe.
  [[nodiscard]] static borrowed borrow();

  poll_set();
  poll_set(poll_set const&) = delete;
  poll_set& operator=(poll_set const&) = delete;
  ~poll_set();

  [[nodiscard]] int epoll() const noexcept { return epoll_; }
  [[nodiscard]] std::shared_ptr<eventfd_waker> const& waker() const noexcept { return waker_; }
  void add(int fd, short events);
  void remove(int fd) noexcept;
  /// Readable at `when` at the latest. It may be so earlier: a timer that is set already is left alone while it does for both.
  void ring_by(time_point when) noexcept;

 private:
  int epoll_ = -1;
  int timer_ = -1;
  std::shared_ptr<eventfd_waker> waker_;
  time_point rings_at_ = time_point::max();
  std::uint32_t fork_epoch_;
};

}  // namespace leasehold::inline v0_1::core
