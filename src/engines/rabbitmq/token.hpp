// Decides what a lock's one message says: who may have held it, for how long nobody can know, and the number that only grows. Pure.
#pragma once

#include "spi/backend.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1::rabbitmq {

/// `key=value&…`, percent-escaped, readable by people. Unknown keys are skipped by readers.
class fields {
 public:
  fields() = default;
  explicit fields(std::string_view text);
  void add(std::string_view key, std::string_view value);
  void add(std::string_view key, std::uint64_t value) { add(key, std::to_string(value)); }
  /// Empty where absent.
  [[nodiscard]] std::string_view get(std::string_view key) const noexcept;
  [[nodiscard]] std::uint64_t number(std::string_view key) const noexcept;
  [[nodiscard]] duration ms(std::string_view key) const noexcept;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> const& all() const noexcept { return pairs_; }
  [[nodiscard]] std::string text() const;

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

/// What a contender says of itself: identity, host, pid, reason, labels, TTL.
[[nodiscard]] fields describe(spi::claim_spec const& spec, duration ttl);
/// The reverse, of any fields that have them.
[[nodiscard]] holder_info described(fields const& of);

[[nodiscard]] std::int64_t in_ms(duration d) noexcept;

/// What the queue of a lock carries.
struct token {
  enum class condition {
    free,  ///< whoever published it held the lock, or nobody did, and gives it away
    held,  ///< published by an acquirer for itself: in anybody else's hands it is a crashed holder's
    owed,  ///< given away by somebody who took it from a crashed holder and did not wait long enough
  };
  std::uint64_t generation = 0;  ///< the fencing token
  std::string id;                ///< 128 random bits: two of one generation are two
  condition state = condition::free;
  std::string by;     ///< owner id, of `held`
  std::string after;  ///< the token that this one replaces: that one's holder is done with it
  std::string name;   ///< the lock's, whole
  duration
      worst{};  ///< for how long after losing it a holder may believe in it, its lock delay included; of `owed`: what is left
  fields who;  ///< the last that is known to have held it

  [[nodiscard]] std::string text() const;
};

/// errc::misconfigured: of a format newer than this. A text that is no token at all is one of generation 0.
[[nodiscard]] result<token> token_of(std::string_view text);

/// A token somebody has in hand.
struct in_hand {
  std::uint64_t delivery = 0;
  bool redelivered = false;  ///< somebody had it before, and did not say that he was done
  time_point at{};
  rabbitmq::token token;
};

/// Whether a token must not be acted on at once: its holder may still believe in it. `owner`: who asks.
[[nodiscard]] bool is_owed(in_hand const& one, std::string_view owner) noexcept;
/// Until when somebody may believe in some of these, as counted from when each came. The past: nobody.
[[nodiscard]] time_point owed_until(std::vector<in_hand> const& hand, std::string_view owner);
/// The one that stays: largest generation, then largest id. REQUIRES: not empty.
[[nodiscard]] std::size_t best_of(std::vector<in_hand> const& hand);

}  // namespace leasehold::inline v0_1::rabbitmq
