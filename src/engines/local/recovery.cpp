#include "engines/local/recovery.hpp"

#include "engines/local/text.hpp"
#include "engines/local/visit.hpp"

#include <algorithm>
#include <vector>

namespace leasehold::inline v0_1::local {

namespace {

void reset_indices(view const& mem, u32 shard) noexcept {
  for (u32 i = 0; i < mem.geometry().buckets; ++i) put(mem.bucket(shard, i), 0);
  id const first = mem.first_record(shard);
  for (id which = first; which < first + mem.used_records(shard); ++which) {
    auto& r = mem.record_at(which);
    for (auto* index : {&r.next, &r.head, &r.tail, &r.holders, &r.waiting, &r.holding}) put(*index, 0);
    u32 const length = name_bytes(get(r.lengths));
    bool const named = word{get(r.word)}.kind() != kind::changing && length >= 1 && length <= name_bytes_max &&
                       view::shard_of_hash(get(r.hash)) == shard;
    if (!named) {
      put(r.lengths, 0);
      // A word in use without a name is damage: nobody can reach it, let nobody hold it.
      put(r.word, word::make(kind::changing, 0, word{get(r.word)}.seq()).bits);
      continue;
    }
    auto& bucket = mem.bucket(get(r.hash));
    put(r.next, get(bucket));
    put(bucket, which);
  }
}

/// The seats of the shard's records that the living wait or hold in, in line order; frees those of the dead that wait.
std::vector<id> seats_of(session const& s, u32 shard) {
  auto const& mem = s.mem();
  std::vector<id> seats;
  for (id which = 1; which <= mem.used_seats(); ++which) {
    auto& seat = mem.seat_at(which);
    auto const status = status_of(seat);
    id const record = get(seat.record);
    if (mem.record(record) == nullptr || mem.shard_of_record(record) != shard) continue;
    if (status.state() == seat_state::holding) seats.push_back(which);
    if (status.state() != seat_state::waiting) continue;
    if (s.fate_of(status.owner()) == fate::gone) {
      free_seat(mem, which);
    } else {
      seats.push_back(which);
    }
  }
  std::sort(seats.begin(), seats.end(),
            [&mem](id a, id b) { return get(mem.seat_at(a).order) < get(mem.seat_at(b).order); });
  return seats;
}

void relink(view const& mem, id which) noexcept {
  auto& seat = mem.seat_at(which);
  auto& r = mem.record_at(get(seat.record));
  bool const waits = status_of(seat).state() == seat_state::waiting;
  id const before = waits ? get(r.tail) : 0;
  id const after = waits ? 0 : get(r.holders);
  put(seat.previous, before);
  put(seat.next, after);
  if (mem.seat(before) != nullptr) put(mem.seat_at(before).next, which);
  if (mem.seat(after) != nullptr) put(mem.seat_at(after).previous, which);
  if (waits && before == 0) put(r.head, which);
  put(waits ? r.tail : r.holders, which);
  auto& count = waits ? r.waiting : r.holding;
  put(count, get(count) + 1);
}

/// Ends whatever of the record belongs to a swept slot.
void forget_owners(visit& at, id which, std::vector<bool> const& swept) {
  auto const& mem = at.mem();
  auto& r = mem.record_at(which);
  auto is_swept = [&swept](u16 owner) { return owner < process_count && swept[owner]; };
  for (auto const* list : {&r.head, &r.holders}) {
    id seat = get(*list);
    for (u32 n = 0; mem.seat(seat) != nullptr && n < seat_count; ++n) {
      id const next = get(mem.seat_at(seat).next);
      if (is_swept(status_of(mem.seat_at(seat)).owner())) at.end_dead_seat(r, seat);
      seat = next;
    }
  }
  if (word const w{get(r.word)}; w.is_held() && is_swept(w.owner())) at.end_dead_grant(r, w);
  at.settle(which);
}

}  // namespace

void rebuild(session& s, u32 shard) noexcept {
  auto const& mem = s.mem();
  reset_indices(mem, shard);
  for (id const seat : seats_of(s, shard)) relink(mem, seat);
  free_lost_blocks(mem, shard);
  visit at(s, shard);
  id const first = mem.first_record(shard);
  for (id which = first; which < first + mem.used_records(shard); ++which) {
    auto& r = mem.record_at(which);
    while (get(r.head) != 0 && !at.note_waiters(r, word{get(r.word)})) {
    }
    at.settle(which);
    // Whoever was to be woken by the dead is woken again.
    if (id const head = get(r.head); head != 0) at.wake_later(head);
  }
}

result<void> sweep_dead(session& s) {
  auto const& mem = s.mem();
  std::vector<bool> swept(process_count);
  for (u32 slot = 0; slot < mem.used_processes(); ++slot) {
    swept[slot] = slot == s.slot() || s.fate_of(static_cast<u16>(slot)) == fate::gone;
  }
  for (u32 shard = 0; shard < shard_count; ++shard) {
    visit at(s, shard);
    if (auto begun = at.begin(); !begun) return begun;
    id const first = mem.first_record(shard);
    for (id which = first; which < first + mem.used_records(shard); ++which) forget_owners(at, which, swept);
  }
  for (id which = 1; which <= mem.used_seats(); ++which) {
    auto const status = status_of(mem.seat_at(which));
    bool const idle = status.state() == seat_state::claimed || status.state() == seat_state::passed_over;
    if (idle && status.owner() < process_count && swept[status.owner()]) free_seat(mem, which);
  }
  for (u32 slot = 0; slot < process_count; ++slot) {
    if (swept[slot] && slot != s.slot()) put(mem.process(slot).state, process_state::free);
  }
  return {};
}

}  // namespace leasehold::inline v0_1::local
