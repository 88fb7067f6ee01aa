// Decides which variants of the protocol are known to be bad: one broken rule each.
#pragma once

#include "model/variant.hpp"

namespace leasehold::test::quorum_model {

// What a client decides.

/// The largest counter of a majority, and no write-back: what a naive port does.
struct plain_max : good {
  struct rules : model::quorum_rules {
    static constexpr bool confirms(std::uint64_t, std::uint64_t) noexcept { return true; }
  };
};
struct half_is_a_quorum : good {
  struct rules : model::quorum_rules {
    static constexpr std::size_t quorum(std::size_t nodes) noexcept { return nodes / 2; }
  };
};
struct smallest_is_the_token : good {
  struct rules : model::quorum_rules {
    static constexpr std::uint64_t token(std::uint64_t so_far, std::uint64_t counter) noexcept {
      return std::min(so_far, counter);
    }
    static constexpr bool confirms(std::uint64_t counter, std::uint64_t token) noexcept { return counter >= token; }
  };
};
struct larger_grant_confirms : good {
  struct rules : model::quorum_rules {
    static constexpr bool confirms(std::uint64_t counter, std::uint64_t token) noexcept { return counter >= token; }
  };
};
struct any_answer_settles : good {
  struct rules : model::quorum_rules {
    static constexpr bool settles(bool) noexcept { return true; }
  };
};
struct refusal_counts : good {
  static constexpr bool refusal_is_a_grant = true;
};
struct owner_kept_for_the_next_try : good {
  static constexpr bool new_owner_for_each_try = false;
};

// What a node does.

struct grant_without_increment : good {
  static constexpr int granted_counter(int c, int hint) noexcept { return std::max({c, hint, 1}); }
};
struct hint_replaces_the_counter : good {
  static constexpr int granted_counter(int c, int hint) noexcept { return hint > 1 ? hint : c + 1; }
};
struct counter_forgotten_when_free : good {
  static constexpr int freed_counter(int) noexcept { return 0; }
};
struct grant_over_a_holder : good {
  static constexpr bool is_free(bool) noexcept { return true; }
};
struct settle_without_owner : good {
  static constexpr bool may_settle(bool, bool) noexcept { return true; }
};
struct settle_takes_a_free_key : good {
  static constexpr bool may_settle(bool mine, bool free) noexcept { return mine || free; }
};
struct settle_stores_nothing : good {
  static constexpr int settled_counter(int c, int) noexcept { return c; }
};
struct release_by_name : good {
  static constexpr bool may_release(bool) noexcept { return true; }
};
struct renew_by_name : good {
  static constexpr bool may_renew(bool, bool) noexcept { return true; }
};

// What the clock decides.

struct deadline_from_the_reply : good {
  static constexpr bool deadline_counts_from_before_the_send = false;
};
struct late_replies_count : good {
  static constexpr bool gives_up_at_deadline = false;
};
struct holds_on_after_loss : good {
  static constexpr bool loss_is_final = false;
};
struct renewed_by_a_minority : good {
  static constexpr bool minority_renews = true;
};

// How a node comes back that has forgotten.

struct votes_at_once : good {
  static constexpr bool has_probation = false;
  static constexpr bool copies_counter = false;
};
struct copies_without_probation : good {
  static constexpr bool has_probation = false;
};
struct probation_without_copy : good {
  static constexpr bool copies_counter = false;
};
struct copies_before_the_probation_ends : good {
  static constexpr bool copies_after_probation = false;
};
struct copies_from_too_few : good {
  static constexpr int copies_from = 1;
};
struct probation_counts_holders_alone : good {
  static constexpr bool probation_covers_attempts = false;
};

// What only simulated time shows (`schedule_test.cpp`).

struct no_margin : good {
  static constexpr bool takes_the_margin_off = false;
};
struct renewal_counts_from_the_reply : good {
  static constexpr bool renewals_count_from_before_the_send = false;
};
struct late_renewals_count : good {
  static constexpr bool renewals_come_before_the_deadline = false;
};
struct renewal_resurrects : good {
  static constexpr bool may_renew(bool mine, bool free) noexcept { return mine || free; }
};
struct lists_not_compared : good {
  static constexpr bool compares_lists = false;
};
struct list_changed_without_waiting : good {
  static constexpr bool waits_before_a_list_changes = false;
};
struct old_snapshot_not_noticed : good {
  static constexpr bool notices_restart = false;
};
struct clock_set_forward : good {
  static constexpr bool clocks_are_left_alone = false;
};

}  // namespace leasehold::test::quorum_model
