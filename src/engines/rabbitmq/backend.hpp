// Decides how a store speaks to RabbitMQ: the SPI's backend, which posts to one pump.
#pragma once

#include "engines/rabbitmq/pump.hpp"
#include "engines/rabbitmq/talk.hpp"
#include "spi/backend.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::rabbitmq {

inline constexpr duration op_timeout_most = std::chrono::seconds(5);

class backend final : public spi::backend {
 public:
  explicit backend(settings of);
  ~backend() override;

  [[nodiscard]] leasehold::traits const& traits() const noexcept override { return traits_; }
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  spi::task<std::vector<finding>> diagnose() override;
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) override;
  void on_revocation(std::function<void()> tell) override { pump_->tell_of_losses(std::move(tell)); }
  void close() noexcept override;

  /// Connects; typed errors.
  result<void> probe();
  [[nodiscard]] std::shared_ptr<pump> const& to() const noexcept { return pump_; }
  /// What the stores say, and what the queue of `name` looks like; by `until`.
  struct view {
    std::optional<pump::counts> queue;
    std::vector<fields> rows;
  };
  spi::task<result<view>> see(question q, time_point until);

 private:
  std::shared_ptr<pump> const pump_;
  leasehold::traits const traits_;
};

[[nodiscard]] failure closed_store();
[[nodiscard]] failure no_answer(settings const& where);

}  // namespace leasehold::inline v0_1::rabbitmq
