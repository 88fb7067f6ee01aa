// Decides how an operator takes a lock from its holder: the holder learns at once, and the name stays busy until the time it may
// still believe in, and for the lock delay it asked for.
#include "engines/local/visit.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

result<void> visit::evict(id which, u64 token, bool now) {
  auto& r = mem_.record_at(which);
  for (;;) {
    word w = settle(which);
    if (w.kind() == kind::shared) return evict_holder(which, token, now) ? result<void>() : failure(errc::not_owner);
    if (!w.is_held() || w.seq() != (token & word::seq_mask)) return failure(errc::not_owner);
    // INVARIANT: a holder writes its record's terms and metadata before the stamp, without the latch. Were the name taken away
    // earlier, those late writes would fall into the next holder's record.
    if (get(r.stamp) != token) {
      return file_failure(errc::unavailable, session_.file().path(),
                          "the name is being acquired this moment by process " +
                              std::to_string(get(mem_.process(w.owner() % process_count).pid)),
                          "try again; if that process is stopped, kill it");
    }
    bool const has_terms = w.kind() == kind::held_on_terms;
    u64 end = has_terms ? get(r.deadline) : 0;
    auto const delay = static_cast<instant>(has_terms ? get(r.lock_delay) : 0);
    bool const waits = !now && (end != 0 || delay != 0);
    // INVARIANT: once waiters are noted a release takes the latch, so no other grant comes between the two steps of hold_off.
    if (waits && !note_waiters(r, w)) continue;
    if (waits) w = w.with_waiters(true);
    // INVARIANT: marked first, so that no renewal slips in between.
    if (end != 0 && (end & taken_bit) == 0 && !swap(r.deadline, end, end | taken_bit)) continue;
    instant const until = std::max(static_cast<instant>(end & ~taken_bit), delay > 0 ? time() + delay : 0);
    if (!(waits ? hold_off(r, w, until) : pass_on(r, w))) continue;
    tell_revoked(w.owner());
    return {};
  }
}

bool visit::evict_holder(id which, u64 token, bool now) {
  auto& r = mem_.record_at(which);
  id at = get(r.holders);
  for (u32 n = 0; mem_.seat(at) != nullptr && n < seat_count && get(mem_.seat_at(at).token) != token; ++n)
    at = get(mem_.seat_at(at).next);
  auto* const s = mem_.seat(at);
  if (s == nullptr || get(s->token) != token) return false;
  u16 const owner = status_of(*s).owner();
  u64 const delay = now ? 0 : get(s->lock_delay);
  u64 end = get(s->deadline);
  if (!now && (end != 0 || delay != 0)) {
    // INVARIANT: by exchange: a renewal that slips in before counts, and one that comes later fails.
    auto const delayed = delay > 0 ? as_deadline(time() + static_cast<instant>(delay)) : 0;
    while (!swap(s->deadline, end, std::max(end, delayed))) {
    }
    set_status(*s, seat_state::holding, nobody);
  } else {
    remove_holder(r, at);
    free_seat(mem_, at);
    put(r.deadline, 0);
    settle(which);
  }
  tell_revoked(owner);
  return true;
}

}  // namespace leasehold::inline v0_1::local
