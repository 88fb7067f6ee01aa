// Decides whether the account may arbitrate at all, where its write region is, and whether that has changed: then nothing new is
// granted for the longest TTL, because what the old region acknowledged may be lost.
#pragma once

#include "engines/cosmos/container.hpp"

#include <mutex>
#include <string>

namespace leasehold::inline v0_1::cosmos {

/// What the account says of itself.
struct account_facts {
  std::vector<std::string> write_regions;
  std::vector<std::string> read_regions;
  std::string write_endpoint;  ///< of the first write region, without a '/' at the end
  std::string consistency;
  bool several_write_regions = false;

  /// Acknowledged writes may be lost when the write region fails.
  [[nodiscard]] bool may_forget() const noexcept { return read_regions.size() > 1 && consistency != "Strong"; }
};
/// Nullopt: not an account's answer.
[[nodiscard]] std::optional<account_facts> read_account(std::string_view json);
/// Errors: errc::misconfigured.
[[nodiscard]] result<void> check_account(account_facts const& of, settings const& where);
/// The container's answer: errc::misconfigured for a partition key that is not ours.
[[nodiscard]] result<void> check_container(std::string_view json, settings const& where);

/// Thread-safe.
class account {
 public:
  explicit account(container& of) : of_(of) {}

  /// Before something is granted. Errors: errc::probation with the time that is left; errc::misconfigured.
  spi::task<result<void>> may_grant(time_point until);
  /// Learns where the write region is, if that is not known or was long ago.
  spi::task<result<void>> look(time_point until);
  /// The same, if the service has said that it is another one than we know.
  spi::task<result<void>> follow(time_point until);
  /// An operator says that nothing is held.
  spi::task<result<void>> clear(time_point until);
  [[nodiscard]] bool may_forget() const;
  [[nodiscard]] account_facts facts() const;

 private:
  spi::task<result<void>> look_at_guard(std::string region, bool clears, time_point until);

  container& of_;
  mutable std::mutex guard_;
  account_facts facts_;
  bool is_known_ = false;
  time_point looked_at_{};
  time_point probation_until_{};
};

}  // namespace leasehold::inline v0_1::cosmos
