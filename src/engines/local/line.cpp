// Decides how waiters stand in line and how shared holders are kept: doubly linked lists of seats.
#include "engines/local/visit.hpp"

namespace leasehold::inline v0_1::local {

id claim_seat(session const& s) noexcept {
  auto& head = s.mem().header();
  u32 const start = get(head.seat_hint) % seat_count;
  for (u32 i = 0; i < seat_count; ++i) {
    u32 const index = (start + i) % seat_count;
    auto& seat = s.mem().seat_at(index + 1);
    if (u32 high = get(head.seat_high); high <= index) {
      while (high <= index && !swap(head.seat_high, high, index + 1)) {
      }
    }
    u32 seen = get(seat.status);
    if (seat_status{seen}.state() != seat_state::free) continue;
    if (!swap(seat.status, seen, seat_status::make(seat_state::claimed, s.slot()).bits)) continue;
    put(seat.record, 0);
    put(seat.is_async, 0);
    head.seat_hint.store(index, std::memory_order_relaxed);
    return index + 1;
  }
  return 0;
}

void free_seat(view const& mem, id which) noexcept {
  auto* const s = mem.seat(which);
  if (s == nullptr) return;
  put(s->record, 0);
  set_status(*s, seat_state::free, 0);
  // The next one takes this seat: its lines are warm.
  mem.header().seat_hint.store(which - 1, std::memory_order_relaxed);
}

bool visit::is_waiting_here(id which, record const& r) const noexcept {
  auto const* const s = mem_.seat(which);
  return s != nullptr && status_of(*s).state() == seat_state::waiting && get(s->record) == id_of(r);
}

void visit::enqueue(id which, id seat, leasehold::mode mode) {
  auto& r = mem_.record_at(which);
  auto& s = mem_.seat_at(seat);
  auto& order = mem_.shard(shard_).order;
  put(order, get(order) + 1);
  put(s.order, get(order));
  put(s.mode, mode.capacity);
  put(s.since, static_cast<u64>(time()));
  put(s.record, which);
  put(s.next, 0);
  id const last = get(r.tail);
  put(s.previous, last);
  set_status(s, seat_state::waiting, session_.slot());
  if (auto* const before = mem_.seat(last); before != nullptr) {
    put(before->next, seat);
  } else {
    put(r.head, seat);
  }
  put(r.tail, seat);
  put(r.waiting, get(r.waiting) + 1);
}

void visit::unlink_waiter(record& r, id which, bool follower_looks) noexcept {
  auto& s = mem_.seat_at(which);
  id const before = get(s.previous);
  id const after = get(s.next);
  if (auto* const b = mem_.seat(before); b != nullptr) {
    put(b->next, after);
  } else {
    put(r.head, after);
  }
  if (auto* const a = mem_.seat(after); a != nullptr) {
    put(a->previous, before);
    if (follower_looks) wake_later(after);
  } else {
    put(r.tail, before);
  }
  if (u32 const waiting = get(r.waiting); waiting > 0) put(r.waiting, waiting - 1);
}

/// The head of the line, after whoever is dead before it has been dropped; 0 when nobody waits.
id visit::first_living(record& r) {
  for (u32 n = 0; n < seat_count; ++n) {
    id const head = get(r.head);
    if (head == 0) return 0;
    if (!is_waiting_here(head, r)) break;
    if (session_.fate_of(status_of(mem_.seat_at(head)).owner()) != fate::gone) return head;
    unlink_waiter(r, head, true);
    free_seat(mem_, head);
  }
  // Damage: an empty line is safe, its members find themselves out of it and queue again.
  put(r.head, 0);
  put(r.tail, 0);
  put(r.waiting, 0);
  return 0;
}

void visit::drop_dead_waiters(record& r) {
  id at = get(r.head);
  for (u32 n = 0; is_waiting_here(at, r) && n < seat_count; ++n) {
    id const next = get(mem_.seat_at(at).next);
    if (session_.fate_of(status_of(mem_.seat_at(at)).owner()) == fate::gone) {
      unlink_waiter(r, at, true);
      free_seat(mem_, at);
    }
    at = next;
  }
}

u32 visit::ahead_of(record& r, id seat) const noexcept {
  u32 n = 0;
  for (id at = get(r.head); at != seat && n < seat_count; ++n) {
    auto const* const s = mem_.seat(at);
    if (s == nullptr) break;
    at = get(s->next);
  }
  return n;
}

void visit::add_holder(id which, id seat) noexcept {
  auto& r = mem_.record_at(which);
  auto& s = mem_.seat_at(seat);
  id const first = get(r.holders);
  put(s.record, which);
  put(s.previous, 0);
  put(s.next, first);
  set_status(s, seat_state::holding, session_.slot());
  if (auto* const f = mem_.seat(first); f != nullptr) put(f->previous, seat);
  put(r.holders, seat);
  put(r.holding, get(r.holding) + 1);
}

void visit::remove_holder(record& r, id seat) noexcept {
  auto& s = mem_.seat_at(seat);
  id const before = get(s.previous);
  id const after = get(s.next);
  if (auto* const b = mem_.seat(before); b != nullptr) {
    put(b->next, after);
  } else {
    put(r.holders, after);
  }
  if (auto* const a = mem_.seat(after); a != nullptr) put(a->previous, before);
  if (u32 const holding = get(r.holding); holding > 0) put(r.holding, holding - 1);
}

}  // namespace leasehold::inline v0_1::local
