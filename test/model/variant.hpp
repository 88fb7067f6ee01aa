// Decides how the modelled nodes behave, and how a variant of the protocol differs from the good one: each rule that it rests on is
// one member, so that each can be broken on purpose.
#pragma once

#include "model/quorum.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace leasehold::test::quorum_model {

using model::node_set;

/// When a key may go away.
enum class expiry : std::uint8_t {
  any_moment,      ///< whatever the clocks do: what tokens have to stand
  after_deadline,  ///< only when its holder has stopped believing in it: what exclusion rests on
};

struct bounds {
  std::array<int, 2> tries{2, 2};  ///< of each client, at most 3
  bool hints = false;              ///< clients tell nodes the largest counter that they have seen
  quorum_model::expiry expiry = expiry::any_moment;
  int amnesias = 0;
  bool renewals = false;
  bool late_requests = false;  ///< a request to grant may arrive after its attempt has ended
};

/// The good protocol. A variant derives from it and hides what it breaks.
struct good {
  using rules = model::quorum_rules;

  // The node's scripts.
  static constexpr int granted_counter(int c, int hint) noexcept { return std::max(c + 1, hint); }
  static constexpr int settled_counter(int c, int token) noexcept { return std::max(c, token); }
  static constexpr int freed_counter(int c) noexcept { return c; }
  static constexpr bool is_free(bool owned) noexcept { return !owned; }
  static constexpr bool may_settle(bool mine, bool /*free*/) noexcept { return mine; }
  static constexpr bool may_release(bool mine) noexcept { return mine; }
  static constexpr bool may_renew(bool mine, bool /*free*/) noexcept { return mine; }

  // The client.
  static constexpr bool refusal_is_a_grant = false;
  static constexpr bool new_owner_for_each_try = true;
  static constexpr bool gives_up_at_deadline = true;
  static constexpr bool deadline_counts_from_before_the_send = true;
  static constexpr bool loss_is_final = true;
  static constexpr bool minority_renews = false;

  // In simulated time alone.
  static constexpr bool takes_the_margin_off = true;
  static constexpr bool renewals_count_from_before_the_send = true;
  static constexpr bool renewals_come_before_the_deadline = true;
  static constexpr bool compares_lists = true;
  static constexpr bool waits_before_a_list_changes = true;
  static constexpr bool notices_restart = true;
  static constexpr bool clocks_are_left_alone = true;

  // Coming back after amnesia.
  static constexpr bool has_probation = true;
  static constexpr bool probation_covers_attempts = true;
  static constexpr bool copies_counter = true;
  static constexpr bool copies_after_probation = true;
  static constexpr int copies_from = 2;
};

}  // namespace leasehold::test::quorum_model
