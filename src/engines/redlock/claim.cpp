#include "engines/redlock/claim.hpp"

#include "engines/redlock/round.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace leasehold::inline v0_1::redlock {

using model::only;
using model::quorum_action;
using std::chrono::milliseconds;

namespace {

unsigned random_number() {
  thread_local std::minstd_rand random{std::random_device{}()};
  return static_cast<unsigned>(random());
}

}  // namespace

redlock_claim::redlock_claim(backend& from, spi::claim_spec const& spec)
    : from_(from),
      permits_(spec.mode.is_semaphore() ? spec.mode.capacity : 0),
      ttl_(spec.ttl.value_or(*from.traits().ttl_default)),
      op_timeout_(std::min(spec.op_timeout.value_or(std::min(op_timeout_most, ttl_ / 4)), ttl_)) {
  auto each = spec;
  each.ttl = ttl_;
  for (auto const& n : from.nodes()) places_.push_back(n->make_claim(each));
}

spi::task<redlock_claim::heard> redlock_claim::ask_node(std::size_t node, std::uint64_t hint,
                                                        std::optional<duration> waiting, time_point until) {
  auto answer = co_await places_[node]->ask(owner_, hint, waiting, until);
  heard out{node, false, std::move(answer), false};
  co_return std::move(out);
}

spi::task<redlock_claim::heard> redlock_claim::adopt_node(std::size_t node, std::string_view before, std::uint64_t hint,
                                                          time_point until) {
  auto answer = co_await places_[node]->adopt(before, owner_, hint, until);
  heard out{node, false, std::move(answer), false};
  co_return std::move(out);
}

spi::task<redlock_claim::heard> redlock_claim::settle_node(std::size_t node, std::uint64_t token, time_point until) {
  auto settled = co_await places_[node]->settle(owner_, token, until);
  heard out{node, true, errc::internal, std::move(settled)};
  co_return std::move(out);
}

/// INVARIANT: each attempt has an owner id of its own, so that nothing late of an earlier one can harm it.
void redlock_claim::begin(round& r, time_point now) {
  r.begun = now;
  r.until = now + op_timeout_;
  r.unknown = only(places_.size()) - 1;
  owner_ = new_owner();
  if (slot_) owner_ += "/" + std::to_string(*slot_);
  state_ = state::holding;  // perhaps, from here on, even if this is never resumed
}

/// Feeds what a node answered to the machine, and keeps what it does not need.
model::quorum_step redlock_claim::hear(round& r, heard h) {
  auto const bit = only(h.node);
  if (h.to_settle) return h.settled ? r.machine.settled(h.node, *h.settled) : r.machine.failed(h.node);
  if (!h.answer) {
    auto const& why = h.answer.get_failure();
    bool const never_sent = why.code != errc::outcome_unknown && why.code != errc::cancelled;
    if (never_sent) r.unknown &= ~bit;
    if (why.code == errc::mode_mismatch) {
      r.said.refused(why);
      return r.machine.refused(h.node, 0);
    }
    if (why.code == errc::probation && why.details.retry_after() == duration::zero()) r.returning |= bit;
    r.said.failed(why);
    return r.machine.failed(h.node);
  }
  r.unknown &= ~bit;
  if (auto const* grant = std::get_if<spi::node_grant>(&*h.answer)) {
    r.granted |= bit;
    r.said.granted();
    if (grant->left) r.left = std::min(r.left.value_or(*grant->left), *grant->left);
    return r.machine.granted(h.node, grant->counter);
  }
  auto& no = std::get<spi::node_refusal>(*h.answer);
  auto const largest = no.counter;
  r.said.refused(std::move(no));
  return r.machine.refused(h.node, largest);
}

/// As against an error of the way there.
bool redlock_claim::came_from_the_node(heard const& h) {
  auto const code = h.to_settle ? h.settled.error() : h.answer.error();
  return code != errc::unavailable && code != errc::outcome_unknown && code != errc::cancelled;
}

/// All nodes at once; over as soon as the machine is.
spi::task<void> redlock_claim::carry_out(round& r) {
  auto& drive = co_await spi::this_driver();
  auto until = r.until;
  // Those that have been silent for long are not waited for: what was granted meanwhile would be in everybody's way.
  auto const silent = from_.silent(r.begun);
  model::node_set missing = r.unknown;
  auto const quorum = r.machine.quorum();
  while (!r.machine.is_over()) {
    auto const which = co_await r.asks.next(until);
    if (!which) {
      r.step = r.machine.give_up();
      break;
    }
    auto answer = r.asks.take(*which);
    missing &= ~only(answer.node);
    if (came_from_the_node(answer)) from_.heard_from(answer.node, drive.now());
    r.step = hear(r, std::move(answer));
    if (r.step.what == quorum_action::settle) {
      for (std::size_t i = 0; i < places_.size(); ++i) {
        if ((r.step.nodes & only(i)) != 0) r.asks.start(settle_node(i, r.step.token, r.until));
      }
    }
    if (r.said.answers() < quorum) continue;
    until = patience(r.begun, drive.now(), r.until);
    bool const settles = r.machine.count(model::quorum_machine::place::settling) > 0;
    if ((missing & ~silent) == 0 && !settles && !r.machine.is_over()) r.step = r.machine.give_up();
  }
  r.asks.abandon();
}

/// INVARIANT: an attempt that failed is released on every node that granted or may have, on a budget of its own. Nobody is called:
/// its own next attempt, or the one that it lost to, is what comes next.
spi::task<void> redlock_claim::let_go(round const& r) {
  auto const nodes = r.granted | r.unknown;
  if (nodes == 0) co_return;
  auto& drive = co_await spi::this_driver();
  auto const begun = drive.now();
  auto const until = begun + op_timeout_;
  drive.shield(true);
  {
    spi::fan<result<spi::node_claim::freed>> releases(drive);
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < places_.size(); ++i) {
      if ((nodes & only(i)) == 0) continue;
      asked.push_back(i);
      releases.start(places_[i]->release(owner_, duration::zero(), true, until));
    }
    // Those that granted are waited for, and those whose answer is due any moment; the others have been sent it all the same.
    auto missing = r.granted | (r.unknown & ~from_.silent(begun));
    for (auto patient_until = patience(begun, begun, until); missing != 0;) {
      if ((missing & r.granted) == 0) patient_until = std::min(until, begun + milliseconds(2));
      auto const which = co_await releases.next(patient_until);
      if (!which) break;
      missing &= ~only(asked[*which]);
    }
  }
  drive.shield(false);
}

/// 1 ms, 2 ms, … up to 128 ms, and anything from nothing to as much again: whoever comes back first is alone.
duration redlock_claim::after_split() noexcept {
  auto const base = milliseconds(1) * (1 << std::min(splits_++, 7));
  return base + std::chrono::microseconds(random_number() % static_cast<unsigned>(base.count() * 1000));
}

/// A permit is one of N slots, each a lock of its own: counting holders by majority would give out too many. It begins with any, and
/// goes on with what the nodes know to be free.
spi::task<result<spi::answer>> redlock_claim::ask_for_any(bool enqueue) {
  constexpr std::size_t tries_most = 16;
  tried_.clear();
  slot_ = random_number() % permits_;
  for (;;) {
    tried_.push_back(*slot_);
    auto answer = co_await ask(enqueue);
    bool const is_busy = answer && std::holds_alternative<spi::busy>(*answer);
    if (!is_busy || !free_slot_ || tried_.size() == tries_most) co_return std::move(answer);
    slot_ = *free_slot_;
  }
}

spi::task<result<spi::answer>> redlock_claim::ask(bool enqueue) {
  auto& drive = co_await spi::this_driver();
  round r(drive, places_.size());
  begin(r, drive.now());
  std::optional<duration> waiting;
  if (enqueue) {
    if (!waiting_since_) waiting_since_ = r.begun;
    waiting = r.begun - *waiting_since_;
  }
  auto const hint = from_.next_hint();
  for (std::size_t i = 0; i < places_.size(); ++i) r.asks.start(ask_node(i, hint, waiting, r.until));
  co_await carry_out(r);
  from_.saw(r.machine.largest());
  round_took_ = drive.now() - r.begun;
  bool const is_done = r.step.what == quorum_action::done;
  if (!is_done) co_await let_go(r);
  auto const now = drive.now();
  if (auto const some = from_.take_unheard(now) | r.returning; some != 0) {
    // Whoever holds the name has others waiting for it.
    auto const briefly = std::max<duration>(2 * round_took_, milliseconds(2));
    co_await from_.look_after(some, is_done ? std::min(r.until, now + briefly) : patience(r.begun, now, r.until));
  }
  if (is_done) {
    splits_ = 0;
    waiting_since_.reset();
    spi::granted grant{ttl_, r.step.token};
    grant.slot = slot_;
    co_return spi::answer{grant};
  }
  free_slot_ = r.said.free_slot(tried_);
  if (!r.said.is_split()) splits_ = 0;
  auto answer = r.said.verdict(after_split(), from_.where().url);
  if (answer) state_ = enqueue ? state::in_line : state::apart;
  co_return std::move(answer);
}

spi::task<spi::wake> redlock_claim::changed(time_point until) {
  auto& drive = co_await spi::this_driver();
  if (!waiting_since_) {
    spi::wait_request sleep{};
    sleep.until = until;
    co_return co_await spi::wait_on(sleep);
  }
  spi::fan<spi::wake> calls(drive);
  for (auto const& p : places_) calls.start(p->called(until));
  // The nodes call at nearly the same moment; whoever asks at the first call finds the others not yet free.
  auto const quorum = model::quorum_of(places_.size());
  auto const grace = std::clamp<duration>(round_took_, std::chrono::microseconds(200), milliseconds(3));
  auto patient_until = until;
  for (std::size_t called = 0; called < quorum;) {
    auto const which = co_await calls.next(patient_until);
    if (!which) co_return drive.now() >= until ? spi::wake::timeout : spi::wake::ready;
    auto const why = calls.take(*which);
    if (why == spi::wake::stopped) co_return why;
    if (why == spi::wake::ready && called++ == 0) patient_until = std::min(until, drive.now() + grace);
  }
  co_return spi::wake::ready;
}

spi::task<result<void>> redlock_claim::withdraw(duration hold_off) {
  waiting_since_.reset();
  splits_ = 0;
  if (state_ == state::apart) co_return result<void>();
  bool const held = state_ == state::holding && !in_doubt_;
  auto done = co_await withdraw_everywhere(hold_off);
  bool const over = done || done.error() == errc::expired || done.error() == errc::not_owner;
  in_doubt_ = !over;
  if (over) state_ = state::apart;
  if (over && !held) co_return result<void>();
  co_return std::move(done);
}

/// Over when a majority has answered, which then does not hold it: it is let go, whatever the others, who have been told, say. That it was
/// lost before is said only if no majority can have held it any more.
spi::task<result<void>> redlock_claim::withdraw_everywhere(duration hold_off) {
  auto& drive = co_await spi::this_driver();
  auto const begun = drive.now();
  auto const until = begun + op_timeout_;
  auto const quorum = model::quorum_of(places_.size());
  spi::fan<result<spi::node_claim::freed>> releases(drive);
  for (auto const& p : places_) releases.start(p->release(owner_, hold_off, false, until));
  std::size_t ours = 0;
  std::size_t gone = 0;
  std::size_t others = 0;
  failure last{errc::outcome_unknown};
  auto patient_until = until;
  while (ours < quorum) {
    auto const which = co_await releases.next(patient_until);
    if (!which) break;
    auto const freed = releases.take(*which);
    if (!freed) {
      last = freed.get_failure();
      continue;
    }
    if (*freed == spi::node_claim::freed::ours) ++ours;
    if (*freed == spi::node_claim::freed::nobodys) ++gone;
    if (*freed == spi::node_claim::freed::somebody_elses) ++others;
    if (ours + gone + others == quorum) patient_until = patience(begun, drive.now(), until);
  }
  if (ours + gone + others < quorum) co_return last;
  if (gone + others <= places_.size() - quorum) co_return result<void>();
  // Its time had run out, or an operator took it.
  co_return others > 0 ? errc::not_owner : errc::expired;
}

}  // namespace leasehold::inline v0_1::redlock
