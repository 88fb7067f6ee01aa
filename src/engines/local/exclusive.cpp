// Decides how an exclusive name changes hands without a latch: one CAS when it is free, one CAS when nobody waits for it.
#include "engines/local/claim.hpp"

namespace leasehold::inline v0_1::local {

local_claim::quick local_claim::ask_quickly(bool may_queue) {
  auto& s = session();
  if (!s.is_live() || connection_->closed.load(std::memory_order_relaxed)) return quick::look;
  if (!mode_.is_exclusive() || seat_ != 0) return quick::look;
  word seen;
  if (record_ == 0 || !is_still(mem(), mem().record_at(record_), hash_, name(), seen)) {
    auto const found = find_name(mem(), hash_, name());
    if (found.which == 0) return quick::look;
    record_ = found.which;
    seen = found.seen;
  }
  auto& r = mem().record_at(record_);
  if (seen.kind() == kind::free && !seen.waiters()) {
    u32 const words = words_for(name_bytes_) + words_for(metadata_bytes_);
    if (metadata_bytes_ != 0 && !has_room(mem(), r, words)) return quick::look;
    return take(r, seen, false) ? quick::granted : quick::look;
  }
  return !may_queue && is_plainly_held(r, seen) ? quick::busy : quick::look;
}

bool local_claim::is_plainly_held(record& r, word seen) const {
  if (!seen.is_held() || session().fate_of(seen.owner()) != fate::alive) return false;
  if (seen.kind() == kind::held) return true;
  u64 const end = get(r.deadline);
  return end == 0 || now() <= static_cast<instant>(end & ~taken_bit);
}

/// Takes a name that is free for us by its word.
bool local_claim::take(record& r, word seen, bool waiters) {
  u64 const token = next_token();
  LEASEHOLD_ASSERT((token & word::seq_mask) != seen.seq());
  u64 expected = seen.bits;
  if (!swap(r.word, expected, word::make(kind::held, session().slot(), token, waiters).bits)) return false;
  token_ = token;
  before_ = seen.seq();
  return describe(r, now());
}

/// Tells others about the grant, and makes its terms binding. False: it was evicted before it was complete.
bool local_claim::describe(record& r, instant at) {
  r.acquired_at.store(static_cast<u64>(at), std::memory_order_relaxed);
  u32 const lengths = make_lengths(name_bytes_, metadata_bytes_);
  if (metadata_bytes_ != 0) {
    text_cursor text(mem(), r);
    text.skip(words_for(name_bytes_));
    write_text(text, metadata());
  }
  if (get(r.lengths) != lengths) put(r.lengths, lengths);
  if (has_terms()) {
    deadline_ = ttl_ > 0 ? as_deadline(at + ttl_) : 0;
    put(r.ttl, static_cast<u64>(ttl_));
    put(r.lock_delay, static_cast<u64>(lock_delay_));
    put(r.deadline, deadline_);
  }
  put(r.stamp, token_);
  word w{get(r.word)};
  while (has_terms() && w.is_grant(session().slot(), token_)) {
    if (swap(r.word, w.bits, w.with(kind::held_on_terms).bits)) break;
  }
  if (!w.is_grant(session().slot(), token_)) return false;
  phase_.store(phase::held, std::memory_order_release);
  return true;
}

result<void> local_claim::release(duration hold_off) {
  auto& r = mem().record_at(record_);
  bool const late = ttl_ > 0 && now() > static_cast<instant>(deadline_);
  u64 w = word::make(has_terms() ? kind::held_on_terms : kind::held, session().slot(), token_).bits;
  if (hold_off > duration::zero() || !swap(r.word, w, word::make(kind::free, 0, token_).bits)) {
    if (auto released = release_slowly(hold_off); !released) return released;
  }
  phase_.store(phase::idle, std::memory_order_release);
  if (late) return failure(errc::expired);
  return {};
}

result<void> local_claim::release_slowly(duration hold_off) {
  auto& r = mem().record_at(record_);
  visit at(session(), view::shard_of_hash(hash_));
  if (auto begun = at.begin(); !begun) return begun;
  for (;;) {
    word const w{get(r.word)};
    if (!w.is_grant(session().slot(), token_)) return not_ours(r);
    if (hold_off > duration::zero() ? at.hold_off(r, w, at.time() + hold_off.count()) : at.pass_on(r, w)) return {};
  }
}

/// The grant was taken away: by time, or by an operator.
result<void> local_claim::not_ours(record& r) {
  phase_.store(phase::idle, std::memory_order_release);
  word w;
  bool const has_other_holder =
      is_still(mem(), r, hash_, name(), w) && (w.is_held() || w.kind() == kind::shared || w.kind() == kind::reserved);
  bool const ran_out = ttl_ > 0 && now() > static_cast<instant>(deadline_);
  return failure(ran_out && !has_other_holder ? errc::expired : errc::not_owner);
}

}  // namespace leasehold::inline v0_1::local
