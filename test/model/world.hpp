// Decides what can happen in a world of three nodes and two clients: every step that the protocol, the network or the clocks may take
// next. The clients are driven by the very code that drives the engine.
#pragma once

#include "model/state_set.hpp"
#include "model/variant.hpp"

#include <array>
#include <string>
#include <utility>

namespace leasehold::test::quorum_model {

inline constexpr int client_count = 2;
inline constexpr int node_count = 3;
inline constexpr int tries_most = 3;  // of each client

enum class message : std::uint8_t { none, ask, grant, refusal, settle, settled, disowned, renew, kept, gone };
enum class phase : std::uint8_t { idle, trying, holding };

template <class V>
struct client_state {
  model::basic_quorum_machine<typename V::rules> attempt{node_count};
  model::basic_renewal_tally<typename V::rules> renewal{node_count};
  phase doing = phase::idle;
  bool renewing = false;
  int tries = 0;
  int floor = 0;  ///< the largest token that anybody had when this attempt began
  int hint = 1;
  int epoch = 0;  ///< 1: renewed
  std::array<message, node_count> wire{};
  std::array<int, node_count> value{};
  std::array<int, node_count> releasing{};  ///< a release under way, of this attempt
  std::array<int, node_count> late{};       ///< a request to grant that outlived this attempt
};

struct node_state {
  int counter = 0;
  int owner = 0;  ///< an attempt; 0: nobody
  int epoch = 0;
  bool votes = true;
  bool was_read = false;
};

template <class V>
class world {
 public:
  explicit world(bounds const& of) : bounds_(&of), amnesias_left_(of.amnesias) {}

  /// Calls `next(successor, what happened)` for everything that may happen.
  template <class Next>
  void each_step(Next&& next) const {
    for (int c = 0; c < client_count; ++c) {
      client_steps(c, next);
      for (int n = 0; n < node_count; ++n) wire_steps(c, n, next);
    }
    for (int n = 0; n < node_count; ++n) node_steps(n, next);
    if (is_timed()) deadline_steps(next);
  }
  /// Empty: all is well.
  [[nodiscard]] std::string const& violation() const noexcept { return violation_; }
  [[nodiscard]] int grants() const noexcept { return std::popcount(finished_); }
  [[nodiscard]] bool was_renewed() const noexcept { return clients_[0].epoch + clients_[1].epoch > 0; }
  /// Up to a renaming of the nodes: no rule tells them apart.
  [[nodiscard]] encoding encoded() const;

 private:
  template <class Next, class Change>
  void step(Next& next, std::string what, Change&& change) const {
    world after = *this;
    change(after);
    if (after.clients_[0].doing == phase::holding && after.clients_[1].doing == phase::holding) {
      after.violation_ = "two hold at once";
    }
    next(after, std::move(what));
  }
  [[nodiscard]] bool is_timed() const noexcept { return bounds_->expiry == expiry::after_deadline; }

  // Attempts are numbered; each has two epochs, before and after its renewal.
  [[nodiscard]] int id(int c) const noexcept { return 1 + c * tries_most + clients_[c].tries - 1; }
  [[nodiscard]] bool mine(int attempt, int owner) const noexcept {
    if (owner == 0) return false;
    if (V::new_owner_for_each_try) return attempt == owner;
    return (attempt - 1) / tries_most == (owner - 1) / tries_most;
  }
  static constexpr std::uint32_t bit(int attempt, int epoch) noexcept { return 1U << (2 * attempt + epoch); }

  template <class Next>
  void client_steps(int c, Next& next) const;
  template <class Next>
  void wire_steps(int c, int n, Next& next) const;
  template <class Next>
  void node_steps(int n, Next& next) const;
  template <class Next>
  void deadline_steps(Next& next) const;

  void begin(int c);
  void begin_renewal(int c);
  void carry_out(int c, int n);
  void hear(int c, int n);
  void obey(int c, model::quorum_step const& s);
  void hold(int c, int token);
  void end(int c);
  void pass(int attempt, int epoch);
  void forget(int n);
  [[nodiscard]] int base() const;
  [[nodiscard]] bool probation_is_over() const noexcept { return !V::has_probation || (awaited_ & ~past_) == 0; }

  bounds const* bounds_;
  std::array<client_state<V>, client_count> clients_{};
  std::array<node_state, node_count> nodes_{};
  std::uint32_t finished_ = 0;  // tokens
  std::uint32_t begun_ = 0;     // epochs of attempts
  std::uint32_t past_ = 0;      // whose deadline is over
  std::uint32_t awaited_ = 0;   // by the node that has forgotten
  int copied_ = 0;
  int reads_ = 0;
  int amnesias_left_;
  std::string violation_;
};

template <class V>
template <class Next>
void world<V>::client_steps(int c, Next& next) const {
  auto const& me = clients_[c];
  auto const who = std::string(1, static_cast<char>('A' + c));
  if (me.doing == phase::idle && me.tries < bounds_->tries[static_cast<std::size_t>(c)]) {
    step(next, who + " asks", [&](world& w) { w.begin(c); });
  }
  if (me.doing == phase::trying) {
    step(next, who + " gives up", [&](world& w) { w.obey(c, w.clients_[c].attempt.give_up()); });
  }
  if (me.doing == phase::holding) {
    step(next, who + " releases", [&](world& w) { w.end(c); });
    if (bounds_->renewals && me.epoch == 0 && !me.renewing) {
      step(next, who + " renews", [&](world& w) { w.begin_renewal(c); });
    }
  }
}

template <class V>
template <class Next>
void world<V>::wire_steps(int c, int n, Next& next) const {
  auto const& me = clients_[c];
  auto const where = std::string(1, static_cast<char>('A' + c)) + static_cast<char>('1' + n);
  switch (me.wire[n]) {
    case message::none:
      break;
    case message::ask:
    case message::settle:
    case message::renew:
      step(next, where + " carried out", [&](world& w) { w.carry_out(c, n); });
      break;
    default:
      step(next, where + " answered", [&](world& w) { w.hear(c, n); });
  }
  if (me.releasing[n] != 0) {
    step(next, where + " released", [&](world& w) {
      auto& node = w.nodes_[n];
      if (V::may_release(mine(me.releasing[n], node.owner))) node.owner = 0;
      w.clients_[c].releasing[n] = 0;
    });
  }
  if (me.late[n] != 0) {
    step(next, where + " comes late", [&](world& w) {
      auto& node = w.nodes_[n];
      if (node.votes && V::is_free(node.owner != 0)) {
        node = {V::granted_counter(node.counter, 0), me.late[n], 0, true, node.was_read};
      }
      w.clients_[c].late[n] = 0;
    });
  }
}

template <class V>
template <class Next>
void world<V>::node_steps(int n, Next& next) const {
  auto const& node = nodes_[n];
  auto const where = std::string(1, static_cast<char>('1' + n));
  bool const may_expire =
      !is_timed() || !V::deadline_counts_from_before_the_send || (past_ & bit(node.owner, node.epoch)) != 0;
  if (node.owner != 0 && may_expire) {
    step(next, where + " expires", [&](world& w) {
      w.nodes_[n].owner = w.nodes_[n].epoch = 0;
      w.nodes_[n].counter = V::freed_counter(node.counter);
    });
  }
  bool const all_vote = std::all_of(nodes_.begin(), nodes_.end(), [](auto const& m) { return m.votes; });
  if (amnesias_left_ > 0 && all_vote) step(next, where + " forgets", [&](world& w) { w.forget(n); });
  bool const may_read = V::copies_after_probation ? probation_is_over() : true;
  if (!all_vote && node.votes && !node.was_read && V::copies_counter && may_read) {
    step(next, where + " is copied", [&](world& w) {
      w.nodes_[n].was_read = true;
      w.copied_ = std::max(w.copied_, node.counter);
      ++w.reads_;
    });
  }
  if (!node.votes && probation_is_over() && (!V::copies_counter || reads_ >= V::copies_from)) {
    step(next, where + " votes anew", [&](world& w) {
      w.nodes_[n].votes = true;
      w.nodes_[n].counter = w.copied_;
      for (auto& m : w.nodes_) m.was_read = false;
      w.copied_ = w.reads_ = 0;
      w.awaited_ = 0;
    });
  }
}

template <class V>
template <class Next>
void world<V>::deadline_steps(Next& next) const {
  for (int attempt = 1; attempt <= client_count * tries_most; ++attempt) {
    for (int epoch = 0; epoch < 2; ++epoch) {
      bool const due = (begun_ & ~past_ & bit(attempt, epoch)) != 0;
      // A renewed lease ends after the one that it renews.
      if (!due || (epoch == 1 && (past_ & bit(attempt, 0)) == 0)) continue;
      step(next, "deadline of " + std::to_string(attempt) + (epoch == 0 ? "" : " anew"),
           [&](world& w) { w.pass(attempt, epoch); });
    }
  }
}

template <class V>
void world<V>::begin(int c) {
  auto& me = clients_[c];
  ++me.tries;
  me.doing = phase::trying;
  me.floor = std::max(0, static_cast<int>(std::bit_width(finished_)) - 1);
  me.wire.fill(message::ask);
  me.value.fill(me.hint);
  if (is_timed()) begun_ |= bit(id(c), 0);
}

template <class V>
void world<V>::begin_renewal(int c) {
  auto& me = clients_[c];
  me.renewing = true;
  me.renewal = decltype(me.renewal){node_count};
  me.wire.fill(message::renew);
  begun_ |= bit(id(c), 1);
}

/// A node does what a request says.
template <class V>
void world<V>::carry_out(int c, int n) {
  auto& me = clients_[c];
  auto& node = nodes_[n];
  bool const own = mine(id(c), node.owner);
  bool const free = node.owner == 0;
  switch (me.wire[n]) {
    case message::ask:
      if (!node.votes) {
        me.value[n] = 0;
        me.wire[n] = message::refusal;
      } else if (V::is_free(!free)) {
        node.counter = V::granted_counter(node.counter, me.value[n]);
        node.owner = id(c);
        node.epoch = 0;
        me.value[n] = node.counter;
        me.wire[n] = message::grant;
      } else {
        me.value[n] = node.counter;
        me.wire[n] = message::refusal;
      }
      break;
    case message::settle:
      me.wire[n] = V::may_settle(own, free) ? message::settled : message::disowned;
      if (me.wire[n] == message::settled) {
        node.counter = V::settled_counter(node.counter, me.value[n]);
        if (free) node.owner = id(c);
      }
      break;
    default:
      me.wire[n] = V::may_renew(own, free) ? message::kept : message::gone;
      if (me.wire[n] == message::kept) {
        if (free) node.owner = id(c);
        node.epoch = 1;
      }
  }
}

/// A client hears what a node answered.
template <class V>
void world<V>::hear(int c, int n) {
  auto& me = clients_[c];
  auto const node = static_cast<std::size_t>(n);
  auto const value = static_cast<std::uint64_t>(me.value[n]);
  auto const what = std::exchange(me.wire[n], message::none);
  me.value[n] = 0;
  switch (what) {
    case message::grant:
      return obey(c, me.attempt.granted(node, value));
    case message::refusal:
      return obey(c, V::refusal_is_a_grant ? me.attempt.granted(node, value) : me.attempt.refused(node, value));
    case message::settled:
    case message::disowned:
      return obey(c, me.attempt.settled(node, what == message::settled));
    case message::kept:
      me.renewal.kept();
      break;
    default:
      me.renewal.gone();
  }
  auto verdict = me.renewal.verdict();
  if (V::minority_renews && me.renewal.kept_by() > 0) verdict = model::renewal_verdict::renewed;
  if (verdict == model::renewal_verdict::renewed) me.epoch = 1;
  if (verdict == model::renewal_verdict::lost) end(c);
  if (verdict != model::renewal_verdict::pending) me.renewing = false;
  if (!me.renewing) {
    me.wire.fill(message::none);
    me.value.fill(0);
    me.renewal = decltype(me.renewal){node_count};
  }
}

template <class V>
void world<V>::obey(int c, model::quorum_step const& s) {
  auto& me = clients_[c];
  if (s.what == model::quorum_action::done) return hold(c, static_cast<int>(s.token));
  if (s.what == model::quorum_action::fail) return end(c);
  for (int n = 0; s.what == model::quorum_action::settle && n < node_count; ++n) {
    if ((s.nodes & model::only(static_cast<std::size_t>(n))) == 0) continue;
    me.wire[n] = message::settle;
    me.value[n] = static_cast<int>(s.token);
  }
}

template <class V>
void world<V>::hold(int c, int token) {
  if ((finished_ >> token & 1) != 0) violation_ = "token " + std::to_string(token) + " was given out twice";
  if (token <= clients_[c].floor) violation_ = "token " + std::to_string(token) + " is below an earlier one";
  finished_ |= 1U << token;
  if (!is_timed()) return end(c);
  end(c);
  clients_[c].doing = phase::holding;
  clients_[c].releasing.fill(0);
}

template <class V>
void world<V>::end(int c) {
  auto& me = clients_[c];
  for (int n = 0; n < node_count; ++n) {
    if (bounds_->late_requests && me.wire[n] == message::ask) me.late[n] = id(c);
    me.releasing[n] = is_timed() ? id(c) : 0;
  }
  me.wire.fill(message::none);
  me.value.fill(0);
  if (bounds_->hints) me.hint = std::max(me.hint, static_cast<int>(me.attempt.hint()));
  me.attempt = decltype(me.attempt){node_count};
  me.renewal = decltype(me.renewal){node_count};
  me.doing = phase::idle;
  me.renewing = false;
  me.epoch = me.floor = 0;
}

template <class V>
void world<V>::pass(int attempt, int epoch) {
  past_ |= bit(attempt, epoch);
  int const c = (attempt - 1) / tries_most;
  auto& me = clients_[c];
  if (me.doing == phase::idle || id(c) != attempt || me.epoch != epoch) return;
  if (me.doing == phase::holding && V::loss_is_final) end(c);
  if (me.doing == phase::trying && V::gives_up_at_deadline) obey(c, me.attempt.give_up());
}

template <class V>
void world<V>::forget(int n) {
  --amnesias_left_;
  nodes_[n] = {};
  nodes_[n].votes = !V::has_probation && !V::copies_counter;
  if (nodes_[n].votes) return;
  awaited_ = begun_ & ~past_;
  if (V::probation_covers_attempts) return;
  for (int c = 0; c < client_count; ++c) {
    if (clients_[c].doing == phase::trying) awaited_ &= ~bit(id(c), 0);
  }
}

}  // namespace leasehold::test::quorum_model
