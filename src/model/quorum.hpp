// Decides one attempt at a lock over several nodes of which a majority decides: when it is held, with which token, what is written
// back, and when it has failed. The engine drives this code, and test/model explores it state by state.
#pragma once

#include "model/assert.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace leasehold::inline v0_1::model {

inline constexpr std::size_t quorum_nodes_max = 9;

/// Bit i stands for node i.
using node_set = std::uint32_t;
[[nodiscard]] constexpr node_set only(std::size_t node) noexcept { return node_set{1} << node; }

enum class quorum_action : std::uint8_t {
  wait,    ///< for what else comes
  settle,  ///< write `token` back to `nodes`, wherever the owner is still this attempt
  done,    ///< held, with `token`
  fail,    ///< release everywhere
};

struct quorum_step {
  quorum_action what = quorum_action::wait;
  node_set nodes = 0;
  std::uint64_t token = 0;
};

/// The rules that an attempt stands on, apart from the bookkeeping, so that each can be broken on purpose.
struct quorum_rules {
  /// INVARIANT: any two sets of so many nodes share one.
  [[nodiscard]] static constexpr std::size_t quorum(std::size_t nodes) noexcept { return nodes / 2 + 1; }
  [[nodiscard]] static constexpr std::uint64_t token(std::uint64_t so_far, std::uint64_t counter) noexcept {
    return std::max(so_far, counter);
  }
  /// A node that granted `counter` holds the token without a write-back. One that granted more does not count: its counter may be
  /// above the token for the sake of somebody whose token was as large.
  [[nodiscard]] static constexpr bool confirms(std::uint64_t counter, std::uint64_t token) noexcept {
    return counter == token;
  }
  /// A write-back that found somebody else's lock, or none, proves nothing.
  [[nodiscard]] static constexpr bool settles(bool owned) noexcept { return owned; }
};

/// The least number of nodes of which any two sets meet. REQUIRES: 1 to `quorum_nodes_max` nodes.
[[nodiscard]] constexpr std::size_t quorum_of(std::size_t nodes) noexcept {
  LEASEHOLD_ASSERT(nodes >= 1 && nodes <= quorum_nodes_max);
  auto const q = quorum_rules::quorum(nodes);
  LEASEHOLD_ASSERT(2 * q > nodes && q <= nodes);
  return q;
}

/// One attempt; all nodes are asked before the first input. Inputs may come in any order, each at most once for a node; those that
/// come after `done` or `fail` change nothing.
///
/// Why tokens grow. Take two attempts that were done, and a node that confirmed both tokens: between its grant and its
/// confirmation its key belonged to that attempt, so these spans do not overlap. The later grant raised a counter that was at least
/// the earlier token, and the later token is at least what that grant returned. No clock and no TTL comes in.
template <class Rules = quorum_rules>
class basic_quorum_machine {
 public:
  enum class place : std::uint8_t { asked, granted, settling, confirmed, beyond, refused, failed };

  explicit basic_quorum_machine(std::size_t nodes) noexcept : nodes_(static_cast<std::uint8_t>(nodes)) {
    LEASEHOLD_ASSERT(nodes >= 1 && nodes <= quorum_nodes_max);
  }

  /// The node granted, and raised its counter to `counter`.
  quorum_step granted(std::size_t node, std::uint64_t counter) noexcept {
    largest_ = std::max(largest_, counter);
    if (is_over() || !expect(node, place::asked)) return {};
    counters_[node] = counter;
    places_[node] = place::granted;
    if (state_ == state::asking) {
      if (count(place::granted) < quorum()) return wait_or_fail();
      state_ = state::settling;
      token_ = 0;
      for (std::size_t i = 0; i < nodes_; ++i) {
        if (places_[i] == place::granted) token_ = token_ == 0 ? counters_[i] : Rules::token(token_, counters_[i]);
      }
    }
    return weigh();
  }
  /// Somebody else is in the way there. `largest`: the largest counter that node knows; 0: it did not say.
  quorum_step refused(std::size_t node, std::uint64_t largest) noexcept {
    largest_ = std::max(largest_, largest);
    return missed(node, place::refused);
  }
  /// No answer that counts: unreachable, in error, or not allowed to vote. Whether it has granted is unknown.
  quorum_step failed(std::size_t node) noexcept { return missed(node, place::failed); }
  /// The write-back was carried out (`owned`), or found that the key is not this attempt's any more.
  quorum_step settled(std::size_t node, bool owned) noexcept {
    if (is_over() || !expect(node, place::settling)) return {};
    places_[node] = Rules::settles(owned) ? place::confirmed : place::failed;
    return weigh();
  }
  /// The time for this attempt is over: what comes from now on changes nothing.
  quorum_step give_up() noexcept { return is_over() ? quorum_step{} : end(); }

  [[nodiscard]] std::size_t quorum() const noexcept { return Rules::quorum(nodes_); }
  [[nodiscard]] bool is_over() const noexcept { return state_ == state::held || state_ == state::given_up; }
  /// What nodes shall grant at least, next time: they then agree on it without a write-back.
  [[nodiscard]] std::uint64_t hint() const noexcept { return largest_ + 1; }
  [[nodiscard]] std::size_t count(place what) const noexcept {
    return static_cast<std::size_t>(std::count(places_.begin(), places_.begin() + nodes_, what));
  }
  [[nodiscard]] place at(std::size_t node) const noexcept { return places_[node]; }
  /// What the node granted; 0 unless it did.
  [[nodiscard]] std::uint64_t counter(std::size_t node) const noexcept { return counters_[node]; }
  /// 0 until a majority has granted.
  [[nodiscard]] std::uint64_t token() const noexcept { return token_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }

 private:
  enum class state : std::uint8_t { asking, settling, held, given_up };

  bool expect(std::size_t node, place what) const noexcept {
    LEASEHOLD_ASSERT(node < nodes_);
    return places_[node] == what;
  }
  quorum_step missed(std::size_t node, place what) noexcept {
    LEASEHOLD_ASSERT(node < nodes_);
    if (is_over() || (places_[node] != place::asked && places_[node] != place::settling)) return {};
    places_[node] = what;
    return state_ == state::asking ? wait_or_fail() : weigh();
  }
  quorum_step end() noexcept {
    state_ = state::given_up;
    return {quorum_action::fail, 0, 0};
  }
  quorum_step wait_or_fail() noexcept {
    auto const at_best = count(place::confirmed) + count(place::granted) + count(place::settling) + count(place::asked);
    return at_best < quorum() ? end() : quorum_step{};
  }
  /// A majority has granted: is the token confirmed by one, and what has to be written back for that?
  quorum_step weigh() noexcept {
    quorum_step next{quorum_action::settle, 0, token_};
    for (std::size_t i = 0; i < nodes_; ++i) {
      if (places_[i] != place::granted) continue;
      if (Rules::confirms(counters_[i], token_)) {
        places_[i] = place::confirmed;
      } else if (counters_[i] > token_) {
        places_[i] = place::beyond;
      } else {
        places_[i] = place::settling;
        next.nodes |= only(i);
      }
    }
    if (count(place::confirmed) >= quorum()) {
      LEASEHOLD_ASSERT(token_ > 0);
      state_ = state::held;
      return {quorum_action::done, 0, token_};
    }
    return next.nodes != 0 ? next : wait_or_fail();
  }

  std::array<std::uint64_t, quorum_nodes_max> counters_{};
  std::array<place, quorum_nodes_max> places_{};
  std::uint64_t token_ = 0;
  std::uint64_t largest_ = 0;
  std::uint8_t nodes_;
  state state_ = state::asking;
};

using quorum_machine = basic_quorum_machine<>;

/// What a renewal by majority came to. A minority that renewed moves no deadline; a majority that knows the lock no more has lost it.
enum class renewal_verdict : std::uint8_t { pending, renewed, lost, undecided };

template <class Rules = quorum_rules>
class basic_renewal_tally {
 public:
  explicit basic_renewal_tally(std::size_t nodes) noexcept : nodes_(static_cast<std::uint8_t>(nodes)) {}
  void kept() noexcept { ++kept_; }
  void gone() noexcept { ++gone_; }
  void failed() noexcept { ++failed_; }
  [[nodiscard]] renewal_verdict verdict() const noexcept {
    std::size_t const q = Rules::quorum(nodes_);
    if (kept_ >= q) return renewal_verdict::renewed;
    if (gone_ > nodes_ - q) return renewal_verdict::lost;
    return kept_ + gone_ + failed_ == nodes_ ? renewal_verdict::undecided : renewal_verdict::pending;
  }
  [[nodiscard]] std::size_t kept_by() const noexcept { return kept_; }
  [[nodiscard]] std::size_t gone_from() const noexcept { return gone_; }

 private:
  std::uint8_t nodes_;
  std::uint8_t kept_ = 0;
  std::uint8_t gone_ = 0;
  std::uint8_t failed_ = 0;
};

using renewal_tally = basic_renewal_tally<>;

/// With which counter a node that has forgotten comes back: the largest of a majority of the *others*, each of which votes. They are
/// to be asked after its probation, when nobody can any more finish an attempt that the forgotten grants were counted for.
class rejoin_tally {
 public:
  explicit rejoin_tally(std::size_t nodes) noexcept : needed_(quorum_of(nodes)) {}
  void told(std::uint64_t largest) noexcept {
    ++told_;
    largest_ = std::max(largest_, largest);
  }
  [[nodiscard]] std::optional<std::uint64_t> counter() const noexcept {
    return told_ >= needed_ ? std::optional(largest_) : std::nullopt;
  }

 private:
  std::size_t needed_;
  std::size_t told_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace leasehold::inline v0_1::model
