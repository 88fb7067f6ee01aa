// Decides how readers and permits are granted, kept and given back; always under the latch.
#include "engines/local/claim.hpp"

#include <utility>

namespace leasehold::inline v0_1::local {

/// False: somebody changed the word first.
bool local_claim::take_shared(visit& at, record& r, word w, id seat) {
  bool const was_waiting = seat_ != 0;
  auto& s = mem().seat_at(seat);
  u64 const token = next_token();
  u64 expected = w.bits;
  bool const others_wait = get(r.waiting) > (was_waiting ? 1U : 0U);
  if (w.kind() != kind::shared) put(r.holding, 0), put(r.holders, 0);
  put(r.mode, mode_.capacity);
  put(r.deadline, 0);
  if (!swap(r.word, expected, word::make(kind::shared, 0, token, others_wait).bits)) return false;
  if (was_waiting) at.unlink_waiter(r, seat, false);
  put(s.mode, mode_.capacity);
  put(s.since, static_cast<u64>(at.time()));
  put(s.token, token);
  put(s.ttl, static_cast<u64>(ttl_));
  put(s.lock_delay, static_cast<u64>(lock_delay_));
  deadline_ = ttl_ > 0 ? as_deadline(at.time() + ttl_) : 0;
  put(s.deadline, deadline_);
  if (!was_waiting) describe(s);
  at.add_holder(record_, seat);
  seat_ = seat;
  token_ = token;
  phase_.store(phase::held, std::memory_order_release);
  at.invite_next(r);
  return true;
}

/// Tells others who waits or shares there; as much as fits.
void local_claim::describe(seat& s) const {
  auto const text = metadata().substr(0, std::size_t{seat_text_words} * 8);
  for (u32 i = 0; i < words_for(text.size()); ++i) put(s.text[i], word_of(text, i));
  put(s.text_bytes, static_cast<u32>(text.size()));
}

bool local_claim::holds_seat() const noexcept {
  auto const& s = mem().seat_at(seat_);
  return get(s.token) == token_ && get(s.status) == seat_status::make(seat_state::holding, session().slot()).bits;
}

result<duration> local_claim::extend_shared() {
  if (!holds_seat()) return failure(errc::lost);
  if (ttl_ == 0) return duration::zero();
  instant const at = now();
  u64 expected = deadline_;
  u64 const later = as_deadline(at + ttl_);
  if (at > static_cast<instant>(deadline_) || !swap(mem().seat_at(seat_).deadline, expected, later))
    return failure(errc::lost);
  deadline_ = later;
  return duration(ttl_);
}

result<void> local_claim::release_shared(duration hold_off) {
  visit at(session(), view::shard_of_hash(hash_));
  if (auto begun = at.begin(); !begun) return begun;
  auto& r = mem().record_at(record_);
  bool const late = ttl_ > 0 && at.time() > static_cast<instant>(deadline_);
  bool const ours = holds_seat();
  id const seat = std::exchange(seat_, 0);
  phase_.store(phase::idle, std::memory_order_release);
  if (!ours) return failure(late ? errc::expired : errc::not_owner);
  if (hold_off > duration::zero()) {
    // The permit stays taken, by nobody, so that nobody has it that much longer.
    put(mem().seat_at(seat).deadline, as_deadline(at.time() + hold_off.count()));
    set_status(mem().seat_at(seat), seat_state::holding, nobody);
  } else {
    at.remove_holder(r, seat);
    free_seat(mem(), seat);
  }
  put(r.deadline, 0);
  at.settle(record_);
  return late ? result<void>(failure(errc::expired)) : result<void>();
}

}  // namespace leasehold::inline v0_1::local
