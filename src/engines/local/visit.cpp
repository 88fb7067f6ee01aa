#include "engines/local/visit.hpp"

#include "engines/local/remains.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

visit::~visit() {
  latch_.unlock();
  for (u32 i = 0; i < wake_count_; ++i) wake(wakes_[i]);
}

void visit::wake_later(id seat) {
  if (std::find(wakes_.begin(), wakes_.begin() + wake_count_, seat) != wakes_.begin() + wake_count_) return;
  // More than a few is rare: a crowd of dead waiters. Waking them under the latch is slower, no less right.
  if (wake_count_ == wakes_.size()) return wake(seat);
  wakes_[wake_count_++] = seat;
}

void visit::wake(id which) const noexcept {
  auto* const s = mem_.seat(which);
  if (s == nullptr) return;
  s->wake.fetch_add(1, std::memory_order_acq_rel);
  crash_point();
  futex_wake(s->wake, 1);
  if (get(s->is_async) == 0) return;
  if (u16 const owner = status_of(*s).owner(); owner < process_count) ring(mem_.process(owner));
}

id visit::id_of(record const& r) const noexcept { return static_cast<id>(&r - mem_.record(1)) + 1; }

word visit::settle(id which) {
  auto& r = mem_.record_at(which);
  for (;;) {
    word const w{get(r.word)};
    bool changed = false;
    switch (w.kind()) {
      case kind::free:
        changed = (first_living(r) != 0 || w.waiters()) && (pass_on(r, w), true);
        break;
      case kind::held:
      case kind::held_on_terms:
        changed = end_if_due(r, w);
        break;
      case kind::reserved:
        changed = settle_reserved(r, w);
        break;
      case kind::held_off:
        changed = time() >= static_cast<instant>(get(r.deadline) & ~taken_bit) && (pass_on(r, w), true);
        break;
      case kind::shared:
        changed = settle_holders(r, w);
        break;
      case kind::changing:
        break;
    }
    if (!changed && get(r.word) == w.bits) return w;
  }
}

/// Ends an exclusive grant whose holder is dead or whose time has run out.
bool visit::end_if_due(record& r, word w) {
  bool const terms = w.kind() == kind::held_on_terms;
  if (session_.fate_of(w.owner()) == fate::gone) {
    end_dead_grant(r, w);
    return true;
  }
  if (!terms || get(r.deadline) == 0 || !take_expired(r.deadline, time())) return false;
  remember_end(*this, id_of(r), w, false, static_cast<instant>(get(r.deadline) & ~taken_bit));
  if (pass_on(r, w)) tell_revoked(w.owner());
  return true;
}

void visit::end_dead_grant(record& r, word w) {
  remember_end(*this, id_of(r), w, true, time());
  u64 const delay = w.kind() == kind::held_on_terms ? get(r.lock_delay) : 0;
  if (delay > 0) {
    hold_off(r, w, time() + static_cast<instant>(delay));
  } else {
    pass_on(r, w);
  }
}

bool visit::settle_reserved(record& r, word w) {
  if (!is_waiting_here(w.owner(), r)) {
    pass_on(r, w);
    return true;
  }
  bool const gone = session_.fate_of(status_of(mem_.seat_at(w.owner())).owner()) == fate::gone;
  if (!gone && time() < static_cast<instant>(get(r.deadline) & ~taken_bit)) return false;
  if (!gone) pass_over(r, w.owner());
  pass_on(r, w);
  return true;
}

/// A stopped process does not hold up the line: it leaves it, and queues again when it runs again.
void visit::pass_over(record& r, id seat) noexcept {
  unlink_waiter(r, seat, false);
  auto& s = mem_.seat_at(seat);
  set_status(s, seat_state::passed_over, status_of(s).owner());
  wake_later(seat);
}

bool visit::settle_holders(record& r, word w) {
  bool changed = false;
  id at = get(r.holders);
  for (u32 n = 0; mem_.seat(at) != nullptr && n < seat_count; ++n) {
    id const next = get(mem_.seat_at(at).next);
    changed |= end_holder_if_due(r, at);
    at = next;
  }
  if (get(r.holding) == 0 || get(r.holders) == 0) {
    pass_on(r, w);
    return true;
  }
  invite_next(r);
  return changed;
}

bool visit::end_holder_if_due(record& r, id seat) {
  auto& s = mem_.seat_at(seat);
  u16 const owner = status_of(s).owner();
  if (session_.fate_of(owner) == fate::gone) return end_dead_seat(r, seat);
  if (!take_expired(s.deadline, time())) return false;
  remove_holder(r, seat);
  free_seat(mem_, seat);
  tell_revoked(owner);
  return true;
}

bool visit::end_dead_seat(record& r, id seat) {
  auto& s = mem_.seat_at(seat);
  if (status_of(s).state() == seat_state::waiting) {
    unlink_waiter(r, seat, true);
  } else if (u64 const delay = get(s.lock_delay); delay > 0) {
    put(s.deadline, as_deadline(time() + static_cast<instant>(delay)));
    set_status(s, seat_state::holding, nobody);
    return false;
  } else {
    remove_holder(r, seat);
  }
  free_seat(mem_, seat);
  return true;
}

void visit::tell_revoked(u16 owner) const noexcept {
  if (owner >= process_count) return;
  auto& loser = mem_.process(owner);
  loser.revoked.fetch_add(1, std::memory_order_acq_rel);
  crash_point();
  ring(loser);
}

bool visit::pass_on(record& r, word w) {
  id const next = first_living(r);
  u64 to = w.bits;
  if (next == 0) return swap(r.word, to, word::make(kind::free, 0, w.seq()).bits);
  put(r.deadline, as_deadline(time() + claim_time_ns));
  if (!swap(r.word, to, word::make(kind::reserved, static_cast<u16>(next), w.seq(), true).bits)) return false;
  wake_later(next);
  return true;
}

bool visit::hold_off(record& r, word w, instant until) {
  put(r.deadline, as_deadline(until));
  u64 to = w.bits;
  if (!swap(r.word, to, word::make(kind::held_off, nobody, w.seq(), w.waiters()).bits)) return false;
  if (id const head = first_living(r); head != 0) wake_later(head);
  return true;
}

bool visit::note_waiters(record& r, word w) noexcept {
  u64 to = w.bits;
  return w.waiters() || swap(r.word, to, w.with_waiters(true).bits);
}

bool visit::may_join(record& r, local::seat const& s) const noexcept {
  leasehold::mode const wanted{get(s.mode)};
  if (wanted.is_exclusive()) return false;
  return wanted.is_reader() || get(r.holding) < wanted.capacity;
}

void visit::invite_next(record& r) {
  id const head = first_living(r);
  if (head == 0 || !may_join(r, mem_.seat_at(head))) return;
  if (u64 const asked = get(r.deadline); asked == 0) {
    put(r.deadline, as_deadline(time() + claim_time_ns));
    wake_later(head);
  } else if (time() >= static_cast<instant>(asked & ~taken_bit)) {
    pass_over(r, head);
    put(r.deadline, 0);
    invite_next(r);
  }
}

}  // namespace leasehold::inline v0_1::local
