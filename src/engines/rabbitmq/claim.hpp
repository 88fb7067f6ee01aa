// Decides how one contender asks, waits, renews and leaves: its seat at the pump does the work, and it looks at what became of it.
#pragma once

#include "engines/rabbitmq/backend.hpp"
#include "engines/rabbitmq/seat.hpp"

#include <atomic>
#include <memory>
#include <string>

namespace leasehold::inline v0_1::rabbitmq {

class amqp_claim final : public spi::claim {
 public:
  amqp_claim(backend& from, spi::claim_spec const& spec);
  ~amqp_claim() override;

  spi::task<result<spi::answer>> attempt() override { return ask(false); }
  spi::task<result<spi::answer>> attempt_once() override { return ask(true); }
  spi::task<result<duration>> renew() override;
  spi::task<result<void>> withdraw(duration hold_off) override;
  spi::task<spi::wake> changed(time_point until) override;
  [[nodiscard]] bool revoked() const noexcept override { return revoked_->load(std::memory_order_acquire); }

  [[nodiscard]] std::shared_ptr<seat> const& place() const noexcept { return seat_; }
  [[nodiscard]] duration patience() const noexcept { return patience_; }

 private:
  spi::task<result<spi::answer>> ask(bool once);
  bool sit_down(bool once);
  std::optional<result<spi::answer>> look(time_point now);
  void ask_to_leave(duration hold_off);
  spi::task<result<void>> outcome_of_loss(time_point until);

  backend& from_;
  std::string const name_;
  fields const who_;
  duration const ttl_;
  duration const lock_delay_;
  duration const patience_;
  std::shared_ptr<std::atomic<bool>> const revoked_ = std::make_shared<std::atomic<bool>>(false);  ///< its seats' own
  std::shared_ptr<seat> seat_;
  std::shared_ptr<seat> seat_keep_;  // the one before, whose guard may still be locked here
  bool holds_ = false;
};

}  // namespace leasehold::inline v0_1::rabbitmq
