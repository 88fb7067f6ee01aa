// Decides how a store speaks to one Redis server: the SPI's backend over one request connection and one for calls to waiters.
#pragma once

#include "engines/redis/pipeline.hpp"
#include "engines/redis/settings.hpp"
#include "engines/redis/subscriber.hpp"
#include "spi/backend.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::redis {

/// 128 random bits from the kernel, in hexadecimal: new for every claim, so nothing that is released, renewed or called by it can
/// be anybody else's.
[[nodiscard]] std::string new_owner();

class backend final : public spi::backend {
 public:
  explicit backend(settings of);

  [[nodiscard]] leasehold::traits const& traits() const noexcept override { return traits_; }
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<adopted>> adopt(spi::claim_spec const& spec, std::string_view ticket) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<std::optional<completion>>> get_record(std::string_view name) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  spi::task<std::vector<finding>> diagnose() override;
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) override;
  void close() noexcept override;

  /// Connects, and sees that scripts can be run; typed errors.
  spi::task<result<void>> probe();
  /// Asserts that nothing is held.
  spi::task<result<void>> initialize();

  [[nodiscard]] settings const& where() const noexcept { return settings_; }
  [[nodiscard]] pipeline& requests() noexcept { return requests_; }
  [[nodiscard]] subscriber& calls() noexcept { return calls_; }

 private:
  spi::task<result<std::vector<std::string>>> indexed_names(std::string_view prefix);

  settings const settings_;
  leasehold::traits const traits_;
  pipeline requests_;
  subscriber calls_;
};

}  // namespace leasehold::inline v0_1::redis
