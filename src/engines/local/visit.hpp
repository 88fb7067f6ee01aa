// Decides what may happen to a record under its shard's latch: who is next, who is passed over, what has run out. Wake-ups are
// carried out after the latch is open.
//
// INVARIANT 1: a name that somebody waits for is never `free`: it is reserved for the head of the line, who must come for it.
// INVARIANT 2: a waiter sleeps on its own wake word and on the beacon of the process before it (the holder's, for the head).
//   Whoever changes that predecessor in any way but by its turn coming, wakes the waiter to look again.
#pragma once

#include "engines/local/latch.hpp"

#include <leasehold/traits.hpp>

namespace leasehold::inline v0_1::local {

/// A reserved name goes to the next in line after this long.
inline constexpr std::int64_t claim_time_ns = 100'000'000;

class visit {
 public:
  visit(local::session& s, u32 shard) noexcept : session_(s), mem_(s.mem()), shard_(shard), latch_(s, shard) {}
  visit(visit const&) = delete;
  ~visit();

  [[nodiscard]] result<void> begin() { return latch_.lock(); }
  /// For whoever holds the shard's latch already.
  void set_time() noexcept { now_ = local::now(); }

  [[nodiscard]] view const& mem() const noexcept { return mem_; }
  [[nodiscard]] local::session& session() const noexcept { return session_; }
  [[nodiscard]] u32 shard() const noexcept { return shard_; }
  [[nodiscard]] instant time() noexcept {
    if (now_ == 0) set_time();
    return now_;
  }

  /// Carries out everything that is due on the record, and returns its word then: free (nobody waits), held by the living, held
  /// off, reserved, or shared.
  word settle(id which);

  // Each replaces the word `w` and returns false, with nothing done that matters, if it is not that any more.
  /// Gives the name to the next in line, or to nobody.
  bool pass_on(record& r, word w);
  bool hold_off(record& r, word w, instant until);
  /// What a dead holder's lock delay asks for, else `pass_on`.
  void end_dead_grant(record& r, word w);
  /// The same for a dead waiter's or sharer's seat. False: it stays, held by nobody for its lock delay.
  bool end_dead_seat(record& r, id seat);
  /// Marks that somebody waits.
  bool note_waiters(record& r, word w) noexcept;

  /// Takes the name from the holder whose token this is, or errc::not_owner. Without `now` a grant with a TTL keeps the name busy
  /// until its deadline. errc::unavailable while the holder is still writing down what it was granted.
  [[nodiscard]] result<void> evict(id which, u64 token, bool now);

  // The line.
  void enqueue(id which, id seat, leasehold::mode mode);
  /// `follower_looks`: its predecessor changes other than by taking its turn.
  void unlink_waiter(record& r, id seat, bool follower_looks) noexcept;
  /// Unlinks every waiter whose process is gone.
  void drop_dead_waiters(record& r);
  /// How many wait before `seat`.
  [[nodiscard]] u32 ahead_of(record& r, id seat) const noexcept;

  // Shared holders.
  void add_holder(id which, id seat) noexcept;
  void remove_holder(record& r, id seat) noexcept;
  /// Wakes the head of the line if it may join the holders, and passes it over if it was asked and did not come.
  void invite_next(record& r);

  /// After the latch is open.
  void wake_later(id seat);

  /// Tells a process that a grant of its was taken away.
  void tell_revoked(u16 owner) const noexcept;

  [[nodiscard]] bool is_waiting_here(id seat, record const& r) const noexcept;

 private:
  [[nodiscard]] id id_of(record const& r) const noexcept;
  [[nodiscard]] id first_living(record& r);
  bool end_if_due(record& r, word w);
  bool evict_holder(id which, u64 token, bool now);
  bool settle_reserved(record& r, word w);
  bool settle_holders(record& r, word w);
  bool end_holder_if_due(record& r, id seat);
  [[nodiscard]] bool may_join(record& r, local::seat const& s) const noexcept;
  void pass_over(record& r, id seat) noexcept;
  void wake(id seat) const noexcept;

  local::session& session_;
  view const& mem_;
  u32 shard_;
  latch_guard latch_;
  instant now_ = 0;
  std::array<id, 4> wakes_{};
  u32 wake_count_ = 0;
};

/// A seat that was free, claimed for this process; 0 when all are taken.
[[nodiscard]] id claim_seat(session const& s) noexcept;
void free_seat(view const& mem, id seat) noexcept;
[[nodiscard]] inline seat_status status_of(seat const& s) noexcept { return {get(s.status)}; }
inline void set_status(seat& s, seat_state state, u16 owner) noexcept {
  put(s.status, seat_status::make(state, owner).bits);
}

/// Takes away a grant that ended at `deadline`, unless it is renewed first.
[[nodiscard]] inline bool take_expired(std::atomic<u64>& deadline, instant now) noexcept {
  u64 end = get(deadline);
  if ((end & ~taken_bit) == 0 || now <= static_cast<instant>(end & ~taken_bit)) return false;
  return (end & taken_bit) != 0 || swap(deadline, end, end | taken_bit);
}
[[nodiscard]] inline u64 as_deadline(instant t) noexcept { return static_cast<u64>(t) & ~taken_bit; }

}  // namespace leasehold::inline v0_1::local
