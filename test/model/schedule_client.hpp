// Decides what a modelled client does in time: it asks, holds, renews and lets go by the code that ships (`src/model`), and says what
// is to be sent and when it is to be woken. No wire and no clock of its own.
#pragma once

#include "model/keeper_machine.hpp"
#include "model/schedule_court.hpp"
#include "model/schedule_node.hpp"

#include <optional>
#include <vector>

namespace leasehold::test::quorum_schedules {

enum class verb : std::uint8_t { ask, settle, renew, release, look, rejoin };

/// A request, or the answer to one: `value` is what was asked with, or answered.
struct errand {
  verb what{};
  int node = 0;
  int owner = 0;
  int round = 0;  ///< of the client's: answers to earlier ones come to nobody
  int list = 0;
  int value = 0;
  duration ttl{};
  node_says said{};
  bool yes = false;
};

template <class V>
class timed_client {
 public:
  timed_client(int number, court& judge, dice& random, std::vector<std::vector<int>> const& lists, bool hints)
      : number_(number), judge_(judge), random_(random), lists_(lists), hints_(hints) {}

  std::vector<errand> out;  ///< to be sent

  /// Whatever is due. `now` is what the client reads when it gets to run.
  void tick(time_point now) {
    if (phase_ == phase::trying && now >= until_) obey(attempt_.give_up(), now);
    if (phase_ == phase::holding) look_at_the_clock(now);
    if (phase_ == phase::idle && now >= next_try_) begin(now);
  }
  [[nodiscard]] time_point next() const {
    if (phase_ == phase::idle) return next_try_;
    if (phase_ == phase::trying) return until_;
    if (is_renewing_) return std::min({done_at_, renew_until_, lost_ ? done_at_ : keep_.deadline});
    return lost_ ? done_at_ : std::min({done_at_, keep_.renew_at, keep_.deadline});
  }
  void hear(errand const& e, time_point now) {
    if (e.what == verb::look) return told(e, now);
    if (e.what == verb::renew) return renewed(e, now);
    if (phase_ != phase::trying || e.round != round_) return;
    if (e.what == verb::settle) return obey(attempt_.settled(index_of(e.node), e.yes), now);
    auto const counter = static_cast<std::uint64_t>(e.value);
    auto const node = index_of(e.node);
    newest_ = std::max(newest_, e.value);
    may_rejoin_ = e.said == node_says::may_rejoin;
    switch (e.said) {
      case node_says::granted:
        return obey(attempt_.granted(node, counter), now);
      case node_says::refused:
        return obey(V::refusal_is_a_grant ? attempt_.granted(node, counter) : attempt_.refused(node, counter), now);
      case node_says::may_rejoin:
        bring_back(e.node, now);
        break;
      case node_says::in_probation:
        if (!V::copies_after_probation) bring_back(e.node, now);
        break;
      case node_says::other_list:
        break;
    }
    obey(attempt_.failed(node), now);
  }
  /// Its process ends: nothing is released.
  void die(time_point until) {
    become_idle();
    next_try_ = std::max(next_try_, until);
    returning_.reset();
  }
  /// It is told to end: what it holds runs out.
  void retire(time_point until, time_point now) {
    if (phase_ == phase::trying) let_go(now);
    next_try_ = std::max(next_try_, until);
    retired_until_ = until;
    keep_.how = renewal::manual;
    keep_.renew_at = time_point::max();
  }
  void use_list(int list) { list_ = list; }
  [[nodiscard]] int list() const noexcept { return list_; }

 private:
  enum class phase : std::uint8_t { idle, trying, holding };
  struct return_of_a_node {
    int node;
    int round;
    model::rejoin_tally tally;
    model::node_set heard = 0;
    int told = 0;
    int largest = 0;
    time_point until{};
  };

  std::vector<int> const& nodes() const { return lists_[static_cast<std::size_t>(list_)]; }
  std::size_t index_of(int node) const {
    return static_cast<std::size_t>(std::find(nodes().begin(), nodes().end(), node) - nodes().begin());
  }
  void post(verb what, int node, int value = 0) { out.push_back({what, node, owner_, round_, list_, value, ttl_}); }

  /// A request that was sent twice is answered once, for whoever asked.
  static bool is_first(model::node_set& heard, int node) {
    bool const is_new = (heard & model::only(static_cast<std::size_t>(node))) == 0;
    heard |= model::only(static_cast<std::size_t>(node));
    return is_new;
  }

  void begin(time_point now) {
    owner_ = V::new_owner_for_each_try ? judge_.new_owner() : number_ + 1;
    ++round_;
    ttl_ = random_.between(std::chrono::milliseconds(200), max_ttl);
    sent_at_ = now;
    until_ = now + (V::gives_up_at_deadline ? ttl_ / 4 : 3 * ttl_);
    floor_ = judge_.largest();
    attempt_ = model::basic_quorum_machine<typename V::rules>(nodes().size());
    phase_ = phase::trying;
    int const hint = hints_ ? ++newest_ : 0;
    for (int const n : nodes()) post(verb::ask, n, hint);
  }
  void obey(model::quorum_step const& s, time_point now) {
    if (s.what == model::quorum_action::done) return hold(static_cast<int>(s.token), now);
    if (s.what == model::quorum_action::fail) return let_go(now);
    if (s.what != model::quorum_action::settle) return;
    for (std::size_t i = 0; i < nodes().size(); ++i) {
      if ((s.nodes & model::only(i)) != 0) post(verb::settle, nodes()[i], static_cast<int>(s.token));
    }
  }
  void hold(int token, time_point now) {
    keep_ = {};
    keep_.grant(V::deadline_counts_from_before_the_send ? sent_at_ : now, ttl_, duration::zero());
    if (!V::takes_the_margin_off) keep_.deadline = sent_at_ + ttl_;
    if (now >= keep_.deadline) {
      if (V::gives_up_at_deadline) return let_go(now);
      keep_.deadline = now + ttl_ / 4;
    }
    phase_ = phase::holding;
    lost_ = is_renewing_ = false;
    bool const is_brief = judge_.is_mended || random_.one_in(2);
    done_at_ = now + random_.between(std::chrono::milliseconds(5), std::chrono::milliseconds(is_brief ? 100 : 3000));
    judge_.held(number_, token, floor_, now, keep_.deadline);
  }
  void look_at_the_clock(time_point now) {
    if (now >= done_at_) return let_go(now);
    auto const due = keep_.due(now);
    if (due == model::keep_action::lose && !lost_) {
      bool const late_answers_count = !V::renewals_come_before_the_deadline && is_renewing_;
      if (V::loss_is_final && !late_answers_count) return random_.one_in(2) ? let_go(now) : become_idle(now);
      lost_ = true;
      if (!V::loss_is_final) judge_.goes_on(number_, now, done_at_);
    }
    if (is_renewing_ && now >= renew_until_) {
      is_renewing_ = false;
      keep_.renewal_failed(now);
    } else if (due == model::keep_action::renew && !is_renewing_) {
      is_renewing_ = true;
      ++round_;
      renew_sent_at_ = now;
      renew_until_ = now + ttl_ / 4;
      renewal_heard_ = 0;
      tally_ = model::basic_renewal_tally<typename V::rules>(nodes().size());
      for (int const n : nodes()) post(verb::renew, n);
    }
  }
  void renewed(errand const& e, time_point now) {
    if (phase_ != phase::holding || !is_renewing_ || e.round != round_ || !is_first(renewal_heard_, e.node)) return;
    e.yes ? tally_.kept() : tally_.gone();
    auto verdict = tally_.verdict();
    if (V::minority_renews && tally_.kept_by() > 0) verdict = model::renewal_verdict::renewed;
    if (verdict == model::renewal_verdict::pending) return;
    is_renewing_ = false;
    if (verdict == model::renewal_verdict::lost) return let_go(now);
    if (verdict == model::renewal_verdict::undecided) return keep_.renewal_failed(now);
    auto const from = V::renewals_count_from_before_the_send ? renew_sent_at_ : now;
    if (!keep_.renewed(from, now, ttl_)) {
      if (V::renewals_come_before_the_deadline) return let_go(now);
      keep_.grant(from, ttl_, duration::zero());
      lost_ = false;
    }
    judge_.goes_on(number_, now, keep_.deadline);
  }
  void let_go(time_point now) {
    for (int const n : nodes()) post(verb::release, n);
    become_idle(now);
  }
  void become_idle(time_point now = {}) {
    phase_ = phase::idle;
    judge_.ended(number_);
    next_try_ =
        std::max(retired_until_, now + random_.between(std::chrono::milliseconds(1), std::chrono::milliseconds(60)));
  }

  /// A node that forgot is told a majority of the others' largest counter.
  void bring_back(int node, time_point now) {
    if (returning_ && now < returning_->until) return;
    ++look_round_;
    returning_.emplace(return_of_a_node{node, look_round_, model::rejoin_tally(nodes().size())});
    returning_->until = now + std::chrono::seconds(1);
    if (!V::copies_counter) return come_back(0);
    if (!V::copies_after_probation && copied_ && may_rejoin_) return come_back(*copied_);
    for (int const n : nodes()) {
      if (n != node) out.push_back({verb::look, n, 0, look_round_, list_});
    }
  }
  void told(errand const& e, time_point) {
    if (!returning_ || e.round != returning_->round || !e.yes || !is_first(returning_->heard, e.node)) return;
    returning_->tally.told(static_cast<std::uint64_t>(e.value));
    returning_->largest = std::max(returning_->largest, e.value);
    ++returning_->told;
    bool const enough = V::copies_from == good::copies_from ? returning_->tally.counter().has_value()
                                                            : returning_->told >= V::copies_from;
    if (!enough) return;
    if (!V::copies_after_probation) {
      copied_ = copied_.value_or(returning_->largest);
      return returning_.reset();
    }
    come_back(V::copies_from == good::copies_from ? static_cast<int>(*returning_->tally.counter())
                                                  : returning_->largest);
  }
  void come_back(int counter) {
    out.push_back({verb::rejoin, returning_->node, 0, 0, list_, counter});
    returning_.reset();
    copied_.reset();
  }

  int const number_;
  court& judge_;
  dice& random_;
  std::vector<std::vector<int>> const& lists_;
  bool const hints_;
  int list_ = 0;
  int newest_ = 0;
  phase phase_ = phase::idle;
  int owner_ = 0;
  int round_ = 0;
  int floor_ = 0;
  duration ttl_{};
  time_point sent_at_{};
  time_point until_{};
  time_point next_try_{};
  time_point retired_until_{};
  time_point done_at_{};
  model::basic_quorum_machine<typename V::rules> attempt_{3};
  model::keeper_machine keep_;
  bool is_renewing_ = false;
  bool lost_ = false;
  time_point renew_sent_at_{};
  time_point renew_until_{};
  model::basic_renewal_tally<typename V::rules> tally_{3};
  model::node_set renewal_heard_ = 0;
  std::optional<return_of_a_node> returning_;
  std::optional<int> copied_;
  bool may_rejoin_ = false;
  int look_round_ = 0;
};

}  // namespace leasehold::test::quorum_schedules
