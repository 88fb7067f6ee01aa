// Decides what passes between clients and the lock table: one lock, the faults asked for, and who is woken when.
#pragma once

#include "engines/mem/lock_table.hpp"
#include "engines/mem/virtual_time.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace leasehold::inline v0_1::mem {

class client;
class mem_claim;

/// The faults a client suffers from now on.
struct faults {
  bool paused = false;
  std::uint32_t lost_requests = 0;
  std::uint32_t lost_replies = 0;
  std::uint32_t failures = 0;
  std::error_code failure;
};

/// One engine: a lock table, its clock, and the claims that reach it. Thread-safe.
/// INVARIANT: wakers and revocation callbacks are called without `guard_`.
class engine {
 public:
  /// `time` null: real time.
  explicit engine(std::shared_ptr<virtual_time> time) : time_(std::move(time)) {}

  [[nodiscard]] time_point now() const noexcept { return time_ ? time_->now() : clock::now(); }
  [[nodiscard]] std::shared_ptr<virtual_time> const& time() const noexcept { return time_; }

  /// One request of `from` about `name`: `act(table, now)` unless a fault keeps it from arriving; its reply unless a
  /// fault eats it.
  template <class T, class Act>
  result<T> request(client& from, std::string_view name, Act&& act) {
    std::vector<std::shared_ptr<spi::waker>> woken;
    auto reply = [&]() -> result<T> {
      std::lock_guard const hold(guard_);
      if (auto why = keep_from_arriving(from)) return std::move(*why);
      result<T> done = act(table_, now());
      wake_admissible(name, woken);
      if (auto why = lose_reply(from)) return std::move(*why);
      return done;
    }();
    for (auto const& w : woken) w->wake();
    return reply;
  }

  [[nodiscard]] owner_id new_owner() noexcept;
  void add(mem_claim& who);
  void remove(mem_claim& who) noexcept;
  void change_owner(mem_claim& who, owner_id to);
  /// The owner was evicted: its claim learns of it unless its client is cut off.
  void revoke(owner_id evicted);

  /// `who` waits for a change, or until `until`; its waker is called. Returns when to look again even so; the past: at
  /// once.
  time_point watch(mem_claim& who, std::shared_ptr<spi::waker> waker, time_point until);
  void unwatch(mem_claim& who) noexcept;

  void set_faults(client& of, std::function<void(faults&)> const& change);
  void close(client& who) noexcept;
  void forget();
  [[nodiscard]] std::uint64_t requests() const noexcept;

  /// Virtual time has moved: wakes those whose moment has come.
  void settle();
  /// When anything happens next by time alone.
  [[nodiscard]] time_point next_event();
  /// Returns when every thread asleep in virtual time has done what it was woken for; gives up after a second of real
  /// time.
  void await_rest();

 private:
  std::optional<failure> keep_from_arriving(client& from);
  static std::optional<failure> lose_reply(client& from);
  void wake_admissible(std::string_view name, std::vector<std::shared_ptr<spi::waker>>& woken);
  template <class Which>
  void wake_if(Which const& which);
  [[nodiscard]] bool is_at_rest() const;

  std::shared_ptr<virtual_time> const time_;
  mutable std::mutex guard_;
  std::condition_variable rest_;
  lock_table table_;                                 // guarded by guard_
  std::unordered_map<owner_id, mem_claim*> claims_;  // guarded by guard_
  std::uint64_t requests_ = 0;                       // guarded by guard_
};

}  // namespace leasehold::inline v0_1::mem
