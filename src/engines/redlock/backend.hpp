// Decides how a store speaks to several nodes: the SPI's backend, composed of the nodes that other engines provide.
#pragma once

#include "engines/redlock/settings.hpp"
#include "model/quorum.hpp"
#include "spi/node.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

namespace leasehold::inline v0_1::redlock {

/// 128 random bits from the kernel, in hexadecimal: new for every attempt.
[[nodiscard]] std::string new_owner();
/// How long a request may take where the caller has not said; one of a lease: min(5 s, TTL/4).
inline constexpr duration op_timeout_most = std::chrono::seconds(5);
/// Until when the rest of the nodes is waited for, once a majority has answered: a frozen minority costs no more than this.
[[nodiscard]] time_point patience(time_point asked, time_point now, time_point until) noexcept;

using node_list = std::vector<std::shared_ptr<spi::node>>;

class backend final : public spi::backend {
 public:
  backend(settings of, node_list nodes);

  [[nodiscard]] leasehold::traits const& traits() const noexcept override { return traits_; }
  std::unique_ptr<spi::claim> make_claim(spi::claim_spec const& spec) override;
  spi::task<result<adopted>> adopt(spi::claim_spec const& spec, std::string_view ticket) override;
  spi::task<result<lock_info>> inspect(std::string_view name) override;
  spi::task<result<std::vector<lock_info>>> list(std::string_view prefix) override;
  spi::task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) override;
  spi::task<std::vector<finding>> diagnose() override;
  spi::task<void> renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) override;
  void close() noexcept override;

  /// Asks all nodes who they are; typed errors.
  spi::task<result<void>> probe();
  spi::task<result<void>> initialize();
  /// Node `i` has answered an attempt.
  void heard_from(std::size_t i, time_point now) noexcept {
    check_due_[i] = (now + check_every).time_since_epoch().count();
  }
  /// Those that have not answered lately.
  [[nodiscard]] model::node_set silent(time_point now) const noexcept;
  /// Those that no attempt has waited for lately: now and then somebody has to ask whether they have forgotten. The caller does,
  /// for those that it is told.
  [[nodiscard]] model::node_set take_unheard(time_point now) noexcept;
  /// Asks `nodes` whether they vote; one that does not, and has sat out its probation, is told the largest counter of a majority of
  /// the others.
  spi::task<void> look_after(model::node_set nodes, time_point patient_until);

  [[nodiscard]] node_list const& nodes() const noexcept { return nodes_; }
  [[nodiscard]] settings const& where() const noexcept { return settings_; }
  /// INVARIANT: above every counter seen, and given out once: nodes that are asked with it agree, whatever else is under way.
  [[nodiscard]] std::uint64_t next_hint() noexcept { return newest_.fetch_add(1) + 1; }
  void saw(std::uint64_t counter) noexcept;

 private:
  static constexpr duration check_every = std::chrono::seconds(1);

  spi::task<void> bring_back(std::size_t i);
  spi::task<result<std::vector<spi::node::view>>> views(std::string_view name);
  spi::task<std::vector<result<spi::node::standing>>> look_at_all(time_point until);

  settings const settings_;
  leasehold::traits const traits_;
  node_list const nodes_;
  std::atomic<std::uint64_t> newest_{0};
  std::array<std::atomic<time_point::rep>, model::quorum_nodes_max> check_due_{};  // until then it counts as heard
  std::atomic<time_point::rep> look_due_{0};                                       // when somebody asks the silent ones
};

}  // namespace leasehold::inline v0_1::redlock
