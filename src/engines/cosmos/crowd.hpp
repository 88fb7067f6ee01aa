// Decides how many leases are renewed at once: each by a request of its own, so many under way together as there are connections, and
// none waits for a slow one.
#pragma once

#include "spi/backend.hpp"

#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace leasehold::inline v0_1::cosmos {

class crowd {
 public:
  explicit crowd(spi::driver& under) : under_(under) {}
  crowd(crowd const&) = delete;
  crowd& operator=(crowd const&) = delete;
  ~crowd() = default;

  /// Once. REQUIRES: the claims wait for wakers and time only.
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out);

 private:
  static constexpr std::size_t at_once = 24;

  /// Stands between a claim's task and the driver of all; outlived by its waker.
  class seat final : public spi::driver {
   public:
    explicit seat(spi::driver& under) : under_(under), bell_(std::make_shared<bell>(under.get_waker())) {}
    [[nodiscard]] time_point now() const noexcept override { return under_.now(); }
    void wait(spi::wait_node& node) override;
    void forget(spi::wait_node& node) noexcept override;
    [[nodiscard]] bool waits_on_futex() const noexcept override { return under_.waits_on_futex(); }
    [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override { return bell_; }
    void shield(bool on) noexcept override { under_.shield(on); }

    /// Resumes the task if there is reason to; until when it waits.
    time_point turn(bool stopped);

   private:
    struct bell final : spi::waker {
      explicit bell(std::shared_ptr<spi::waker> u) : under(std::move(u)) {}
      void wake() noexcept override {
        rung.store(true);
        under->wake();
      }
      std::shared_ptr<spi::waker> const under;
      std::atomic<bool> rung{false};
    };
    spi::driver& under_;
    std::shared_ptr<bell> bell_;
    spi::wait_node* node_ = nullptr;
  };
  struct member {
    explicit member(spi::driver& under) : on(under) {}
    seat on;
    std::optional<spi::task<result<duration>>> work;
    std::size_t index = 0;
  };

  spi::driver& under_;
  std::vector<std::unique_ptr<member>> members_;
};

}  // namespace leasehold::inline v0_1::cosmos
