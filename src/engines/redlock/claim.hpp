// Decides how one contender asks all nodes, writes back, waits, and leaves: the quorum machine says what, this does it.
#pragma once

#include "engines/redlock/backend.hpp"
#include "engines/redlock/ballot.hpp"
#include "spi/fan.hpp"

#include <memory>
#include <string>
#include <vector>

namespace leasehold::inline v0_1::redlock {

class redlock_claim final : public spi::claim {
 public:
  redlock_claim(backend& from, spi::claim_spec const& spec);

  spi::task<result<spi::answer>> attempt() override { return permits_ > 0 ? ask_for_any(true) : ask(true); }
  spi::task<result<spi::answer>> attempt_once() override { return permits_ > 0 ? ask_for_any(false) : ask(false); }
  spi::task<result<duration>> renew() override;
  spi::task<result<void>> withdraw(duration hold_off) override;
  spi::task<spi::wake> changed(time_point until) override;
  spi::task<result<std::string>> detach() override;

  /// Takes up what `ticket` names, on a majority of the nodes.
  spi::task<result<spi::granted>> take_over(std::string_view ticket);

  // What a renewal of many needs.
  [[nodiscard]] spi::node_claim& at(std::size_t node) const noexcept { return *places_[node]; }
  [[nodiscard]] std::string const& owner() const noexcept { return owner_; }
  [[nodiscard]] duration ttl() const noexcept { return ttl_; }
  /// How long a request of its may take.
  [[nodiscard]] duration op_timeout() const noexcept { return op_timeout_; }

 private:
  enum class state : std::uint8_t {
    apart,    ///< nothing of it is on any node
    in_line,  ///< or perhaps
    holding,  ///< or perhaps, on some
  };
  /// What one node answered, to whichever question.
  struct heard {
    std::size_t node;
    bool to_settle;
    result<spi::node_answer> answer;
    result<bool> settled;
  };
  /// One attempt under way.
  struct round;

  spi::task<result<spi::answer>> ask_for_any(bool enqueue);
  spi::task<result<spi::answer>> ask(bool enqueue);
  spi::task<heard> ask_node(std::size_t node, std::uint64_t hint, std::optional<duration> waiting, time_point until);
  spi::task<heard> adopt_node(std::size_t node, std::string_view before, std::uint64_t hint, time_point until);
  spi::task<heard> settle_node(std::size_t node, std::uint64_t token, time_point until);
  void begin(round& r, time_point now);
  static bool came_from_the_node(heard const& h);
  spi::task<void> carry_out(round& r);
  model::quorum_step hear(round& r, heard h);
  spi::task<void> let_go(round const& r);
  spi::task<result<void>> withdraw_everywhere(duration hold_off);
  [[nodiscard]] duration after_split() noexcept;

  backend& from_;
  std::vector<std::unique_ptr<spi::node_claim>> places_;
  std::string owner_;
  std::uint32_t const permits_;  ///< of a semaphore; 0: it is none
  std::optional<std::uint32_t> slot_{};
  std::vector<std::uint32_t> tried_;          ///< by this attempt
  std::optional<std::uint32_t> free_slot_{};  ///< which another one may have
  duration const ttl_;
  duration const op_timeout_;
  std::optional<time_point> waiting_since_;
  duration round_took_{};  ///< the last one
  state state_ = state::apart;
  bool in_doubt_ = false;  ///< a withdrawal may have taken effect already
  int splits_ = 0;
};

}  // namespace leasehold::inline v0_1::redlock
