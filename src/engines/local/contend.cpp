// Decides what happens to a contender when the quick way fails: under the latch it takes its turn, or its place in line.
#include "engines/local/claim.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

result<spi::answer> local_claim::ask_slowly(bool may_queue) {
  if (connection_->closed.load(std::memory_order_relaxed)) return failure(errc::cancelled);
  if (!session().is_live()) {
    if (auto entered = session().enter(); !entered) return entered.get_failure();
  }
  // A process that has been killed may need a moment to stop; it is waited for outside the latch.
  if (word const seen = sight(); seen.is_held()) {
    static_cast<void>(session().await_fate_of(seen.owner(), std::chrono::milliseconds(20)));
  }
  visit at(session(), view::shard_of_hash(hash_));
  if (auto begun = at.begin(); !begun) return begun.get_failure();
  auto const located = locate(at);
  if (!located) return located.get_failure();
  record_ = *located;
  auto& r = mem().record_at(record_);
  if (seat_ != 0 && watched_ != nobody && session().fate_of(watched_) == fate::gone) at.drop_dead_waiters(r);
  for (;;) {
    word const w = at.settle(record_);
    if (auto fits = check_mode(at, r, w); !fits) return fits.get_failure();
    check_seat(at, r);
    if (may_take(r, w)) {
      auto const taken = take_slowly(at, r, w);
      if (!taken) return taken.get_failure();
      if (*taken) return spi::answer(grant());
      continue;
    }
    if (may_queue && seat_ == 0) {
      if (auto queued = queue(at); !queued) return queued.get_failure();
    }
    if (seat_ == 0 || at.note_waiters(r, w)) return spi::answer(refuse(at, r, w));
  }
}

/// The word of our name's record, if it has one.
word local_claim::sight() const {
  if (word seen; record_ != 0 && is_still(mem(), mem().record_at(record_), hash_, name(), seen)) return seen;
  return find_name(mem(), hash_, name()).seen;
}

/// The record of our name. While we wait or hold it cannot be renamed.
result<id> local_claim::locate(visit& at) {
  if (word seen; record_ != 0 && is_still(mem(), mem().record_at(record_), hash_, name(), seen)) return record_;
  return find_or_add(at, hash_, name());
}

result<void> local_claim::check_mode(visit& at, record& r, word w) const {
  if (w.kind() > kind::shared) {
    return file_failure(errc::misconfigured, session().file().path(), "has a damaged record for this name",
                        "move the file away when no process uses it");
  }
  std::optional<leasehold::mode> in_use;
  if (w.is_held()) in_use = leasehold::mode::exclusive();
  if (w.kind() == kind::shared) in_use = leasehold::mode{get(r.mode)};
  if (id const head = get(r.head); !in_use && at.is_waiting_here(head, r))
    in_use = leasehold::mode{get(mem().seat_at(head).mode)};
  if (!in_use || in_use->is_semaphore() == mode_.is_semaphore()) return {};
  return failure(errc::mode_mismatch,
                 diagnostics("the name is in use as a " + std::string(in_use->is_semaphore() ? "semaphore" : "mutex"),
                             "use another name for the other kind of lock"));
}

/// Finds out that we were passed over, or that the line was damaged: then we are out of it.
void local_claim::check_seat(visit& at, record& r) {
  if (seat_ == 0 || (at.is_waiting_here(seat_, r) && get(r.head) != 0)) return;
  free_seat(mem(), seat_);
  seat_ = 0;
}

bool local_claim::may_take(record& r, word w) const {
  if (w.kind() == kind::free) return true;
  if (w.kind() == kind::reserved) return seat_ != 0 && w.owner() == seat_;
  if (w.kind() != kind::shared || mode_.is_exclusive()) return false;
  bool const is_next = seat_ != 0 ? get(r.head) == seat_ : get(r.head) == 0;
  return is_next && (mode_.is_reader() || get(r.holding) < mode_.capacity);
}

/// False: somebody changed the word first.
result<bool> local_claim::take_slowly(visit& at, record& r, word w) {
  if (!mode_.is_exclusive()) {
    id const seat = seat_ != 0 ? seat_ : claim_seat(session());
    if (seat == 0) return out_of_seats();
    if (take_shared(at, r, w, seat)) return true;
    if (seat_ == 0) free_seat(mem(), seat);
    return false;
  }
  if (metadata_bytes_ != 0 && !make_room(mem(), record_, words_for(name_bytes_) + words_for(metadata_bytes_)))
    metadata_bytes_ = 0;
  bool const others_wait = get(r.waiting) > (seat_ != 0 ? 1U : 0U);
  if (!take(r, w, others_wait)) return false;
  if (seat_ != 0) {
    at.unlink_waiter(r, seat_, false);
    free_seat(mem(), seat_);
    seat_ = 0;
  }
  return true;
}

failure local_claim::out_of_seats() const {
  return file_failure(errc::unavailable, session().file().path(),
                      "has " + std::to_string(seat_count) + " waiters and sharers, its limit",
                      "try again later, or use more than one store");
}

result<void> local_claim::queue(visit& at) {
  id const seat = claim_seat(session());
  if (seat == 0) return out_of_seats();
  seat_ = seat;
  describe(mem().seat_at(seat));
  at.enqueue(record_, seat_, mode_);
  return {};
}

spi::busy local_claim::refuse(visit& at, record& r, word w) {
  u32 const waiting = get(r.waiting);
  // Whoever has just come is last: spares a walk along the whole line.
  u32 const ahead = seat_ == 0 ? waiting : seat_ == get(r.tail) ? waiting - 1 : at.ahead_of(r, seat_);
  place_ = static_cast<std::uint8_t>(std::min(ahead, 2U));
  instant const end = look_again_at(r, w, ahead);
  if (seat_ != 0) {
    seen_ = get(mem().seat_at(seat_).wake);
    deadline_ = static_cast<u64>(end);
    remember_whom_to_watch(at, r, w);
  }
  spi::busy busy;
  busy.ahead = ahead;
  if (end != 0 && ahead == 0) busy.retry_after = duration(std::max<instant>(end - at.time(), 1));
  return busy;
}

void local_claim::remember_whom_to_watch(visit& at, record& r, word w) {
  watched_ = nobody;
  if (place_ == 0) {
    if (w.is_held()) watched_ = w.owner();
  } else if (id const before = get(mem().seat_at(seat_).previous); at.is_waiting_here(before, r)) {
    watched_ = status_of(mem().seat_at(before)).owner();
  }
  // Our own death needs no watching.
  if (watched_ == session().slot()) watched_ = nobody;
}

/// When time alone will change the answer for whoever has `ahead` waiters before it; 0: never.
instant local_claim::look_again_at(record& r, word w, u32 ahead) const {
  auto const until = static_cast<instant>(get(r.deadline) & ~taken_bit);
  bool const asked_one_before_us = ahead == 1 && (w.kind() == kind::reserved || w.kind() == kind::shared);
  if (asked_one_before_us) return until;
  if (ahead > 0) return 0;
  if (w.kind() == kind::held_on_terms || w.kind() == kind::held_off) return until;
  instant first = 0;
  if (w.kind() != kind::shared) return first;
  id at = get(r.holders);
  for (u32 n = 0; mem().seat(at) != nullptr && n < seat_count; ++n, at = get(mem().seat_at(at).next)) {
    auto const end = static_cast<instant>(get(mem().seat_at(at).deadline) & ~taken_bit);
    if (end != 0 && (first == 0 || end < first)) first = end;
  }
  return first;
}

result<void> local_claim::leave_line() {
  visit at(session(), view::shard_of_hash(hash_));
  if (auto begun = at.begin(); !begun) return begun;
  auto& r = mem().record_at(record_);
  if (at.is_waiting_here(seat_, r)) at.unlink_waiter(r, seat_, true);
  free_seat(mem(), seat_);
  seat_ = 0;
  // A reservation that was ours goes to the next.
  at.settle(record_);
  return {};
}

}  // namespace leasehold::inline v0_1::local
