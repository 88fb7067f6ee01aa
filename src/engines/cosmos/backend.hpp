// Decides how a store speaks to one container: the SPI's backend over single documents.
#pragma once

#include "engines/cosmos/account.hpp"
#include "engines/cosmos/container.hpp"
#include "engines/cosmos/settings.hpp"
#include "engines/cosmos/sightings.hpp"
#include "spi/backend.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::cosmos {

/// How long a request may take where the caller has not said; one of a lease: min(5 s, TTL/4).
inline constexpr duration op_timeout_most = std::chrono::seconds(5);

/// 128 random bits from the kernel, in hexadecimal: new for every claim, so nothing that is released or renewed by it can be anybody else's.
[[nodiscard]] std::string new_owner();

/// A document as it is in the container, perhaps.
struct found {
  std::optional<document> what;  ///< absent: there is none
  bool foreign =
      false;  ///< there is one of somebody else's (in the article's dialect): held, nobody knows for how long
  response said;
};

/// Of an item that no leasehold has written.
[[nodiscard]] holder_info foreign_holder();

class backend final : public spi::backend {
 public:
  explicit backend(settings of);

  [[nodiscard]] leasehold::traits const& traits() const noexcept override { return traits_; }
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<adopted>> adopt(spi::claim_spec const& spec, std::string_view ticket) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  spi::task<std::vector<finding>> diagnose() override;
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) override;
  void close() noexcept override { documents_.net().close(); }

  /// Asks the account and the container whether they will do; typed errors.
  spi::task<result<void>> probe();
  /// Creates what is missing, and asserts that nothing is held.
  spi::task<result<void>> initialize();

  /// Reads the document of `name`, and remembers what was seen. Errors: also of `read_document`.
  spi::task<result<found>> look(std::string name, time_point until);
  /// In the article's dialect: a token that is larger than all before, and kept so, before anybody can hold it.
  spi::task<result<std::uint64_t>> next_fence(std::string name, std::uint64_t least, time_point until);
  [[nodiscard]] time_left judge(document const& d, time_point now) const {
    return seen_.judge(d, now, documents_.net().server_ms(now) / 1000);
  }
  [[nodiscard]] settings const& where() const noexcept { return settings_; }
  [[nodiscard]] container& documents() noexcept { return documents_; }
  [[nodiscard]] account& arbiter() noexcept { return account_; }
  [[nodiscard]] sightings& seen() noexcept { return seen_; }

 private:
  [[nodiscard]] lock_info info(document const& d, time_point now) const;
  spi::task<std::vector<finding>> try_out(std::vector<finding> so_far);

  settings const settings_;
  leasehold::traits traits_;
  container documents_;
  account account_;
  sightings seen_;
};

}  // namespace leasehold::inline v0_1::cosmos
