// Decides the life of one hold: granted, kept, then lost or released, exactly once. Shared by the user's handle and the keeper.
//
// INVARIANT 1: `phase_` goes held → lost → leaving → released, or past lost, and a new hold (of a mutex) begins only after that. Instead
// of leaving it may be departing, which is leaving on somebody's event loop.
// INVARIANT 2: `deadline_` is extended only under `claim_guard_`, only while held, and only by a reply that came before it.
// INVARIANT 3: claim verbs run only under `claim_guard_` (one verb at a time).
#pragma once

#include "core/store_state.hpp"
#include "model/keeper_machine.hpp"
#include "spi/backend.hpp"

#include <leasehold/lease.hpp>
#include <leasehold/options.hpp>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::core {

/// Held for the length of a claim's verb. 0: free, 1: locked, 2: locked and somebody sleeps (Drepper, "Futexes Are Tricky", mutex 2).
class claim_lock {
 public:
  void lock() noexcept {
    std::uint32_t seen = 0;
    if (word_.compare_exchange_strong(seen, 1, std::memory_order_acquire)) return;
    if (seen != 2) seen = word_.exchange(2, std::memory_order_acquire);
    while (seen != 0) {
      word_.wait(2, std::memory_order_relaxed);
      seen = word_.exchange(2, std::memory_order_acquire);
    }
  }
  [[nodiscard]] bool try_lock() noexcept {
    std::uint32_t seen = 0;
    return word_.compare_exchange_strong(seen, 1, std::memory_order_acquire);
  }
  void unlock() noexcept {
    if (word_.exchange(0, std::memory_order_release) == 2) word_.notify_one();
  }

 private:
  std::atomic<std::uint32_t> word_{0};
};

}  // namespace leasehold::inline v0_1::core

namespace leasehold::inline v0_1::detail {

/// The name lies behind the object, in the same allocation.
class lease_state final {
 public:
  [[nodiscard]] static lease_ref make(std::shared_ptr<store_state> where, std::unique_ptr<spi::claim> claim,
                                      std::string_view name, acquire_options const& options);
  lease_state(lease_state const&) = delete;
  lease_state& operator=(lease_state const&) = delete;
  // Its operator new is make()'s alone: it wants the name's length. NOLINTNEXTLINE(misc-new-delete-overloads)
  static void operator delete(void* p) noexcept { ::operator delete(p); }

  /// One more reference; empty once the last one was given back.
  [[nodiscard]] lease_ref share_if_alive() noexcept;
  void drop() noexcept;

  /// The claim was granted. REQUIRES: not held.
  void begin(time_point sent_at, spi::granted const& grant) noexcept;

  [[nodiscard]] bool held() noexcept;
  [[nodiscard]] std::error_code error() const noexcept;
  [[nodiscard]] time_point deadline() const noexcept;
  [[nodiscard]] std::stop_token lost_token();
  [[nodiscard]] std::error_code renew();
  /// Idempotent; bounded by min(op timeout, time to the deadline), and by `latest`: then it is asked for but not waited for.
  [[nodiscard]] std::error_code release(time_point latest = time_point::max()) noexcept;
  [[nodiscard]] result<std::string> detach();
  [[nodiscard]] result<void> put_note(std::string_view text);
  [[nodiscard]] result<std::optional<previous_holder>> previous();
  [[nodiscard]] result<void> complete(std::string_view value, duration window);

  // A release on somebody's event loop. Others who release meanwhile are told that it is done.
  /// False: there is nothing to release, and `error` says why.
  [[nodiscard]] bool begin_departure(std::error_code& why) noexcept;
  /// The rest. REQUIRES: `begin_departure()`; this outlives the task.
  [[nodiscard]] spi::task<std::error_code> depart();
  /// What `depart` was to do, here and now, if it was destroyed before its end.
  std::error_code end_departure() noexcept;

  // For the keeper.
  // REQUIRES for these: `guard()` is locked by the caller.
  /// Marks the lease lost if its deadline has passed.
  [[nodiscard]] model::keep_action due(time_point now) noexcept;
  [[nodiscard]] time_point next_due() const noexcept { return keep_.next(); }
  [[nodiscard]] time_point next_deadline() const noexcept { return keep_.deadline; }
  /// How long one request of it may take.
  [[nodiscard]] duration request_limit() const noexcept;
  /// `now`: read after the answer came.
  std::error_code renewal_answered(time_point sent_at, time_point now, result<duration> const& answer) noexcept;
  [[nodiscard]] result<duration> ask_renewal() noexcept;

  /// Asks the claim what it knows already. The keeper calls it under `guard()`.
  void check_revoked() noexcept;
  /// The keeper comes to leases that nobody has looked at for seconds.
  void prefetch() const noexcept {
    for (std::size_t at = 0; at < sizeof *this; at += 64)
      __builtin_prefetch(reinterpret_cast<char const*>(this) + at, 1);
  }
  [[nodiscard]] core::claim_lock& guard() noexcept { return claim_guard_; }
  [[nodiscard]] spi::claim& claim() noexcept { return *claim_; }
  [[nodiscard]] bool is_held() const noexcept { return phase_.load(std::memory_order_acquire) == phase::held; }

  [[nodiscard]] store_state& where() const noexcept { return *store_; }
  [[nodiscard]] std::string_view name() const noexcept {
    return {reinterpret_cast<char const*>(this + 1), name_bytes_};
  }
  [[nodiscard]] mode lock_mode() const noexcept { return mode_; }
  [[nodiscard]] std::optional<std::uint64_t> token() const noexcept {
    return has_token_ ? std::optional(token_) : std::nullopt;
  }
  [[nodiscard]] std::optional<std::uint32_t> slot() const noexcept {
    return slot_ != no_slot ? std::optional(slot_) : std::nullopt;
  }
  [[nodiscard]] time_point acquired_at() const noexcept { return acquired_at_; }

  core::registry::place place;              ///< the registry's, under its lock
  std::uint32_t keeper_index = UINT32_MAX;  ///< the keeper's, under its lock

 private:
  enum class phase : std::uint8_t { idle, held, lost, leaving, departing, released };
  static constexpr std::uint32_t no_slot = UINT32_MAX;

  lease_state(std::shared_ptr<store_state> where, std::unique_ptr<spi::claim> claim, std::string_view name,
              acquire_options const& options);
  ~lease_state();
  static void* operator new(std::size_t own, std::size_t tail) { return ::operator new(own + tail); }
  static void operator delete(void* p, std::size_t) noexcept { ::operator delete(p); }
  [[nodiscard]] bool is_void() const noexcept { return store_->is_forked(); }
  void leave_registry() noexcept;
  void lose(errc why, event_kind kind = event_kind::lost) noexcept;
  void request_lost_stop() noexcept;
  [[nodiscard]] duration hold_off() const noexcept;
  [[nodiscard]] std::error_code withdraw(time_point latest) noexcept;
  std::error_code withdrawn(std::error_code code) noexcept;
  [[nodiscard]] std::error_code ask_withdrawal(duration hold_off, time_point until) noexcept;
  void tell(event_kind kind, duration took, std::error_code code = {}) noexcept;
  /// What a question to the claim of a held lease answers, in time. REQUIRES: `guard()` is locked by the caller.
  template <class T>
  [[nodiscard]] result<T> ask_claim(spi::task<result<T>> question);

  std::atomic<std::uint32_t> references_{1};
  std::shared_ptr<store_state> store_;
  std::unique_ptr<spi::claim> claim_;
  model::keeper_machine keep_;  // under claim_guard_
  duration max_hold_{};         // 0: no bound
  duration hold_at_least_{};
  time_point acquired_at_{};
  std::uint64_t token_ = 0;
  std::atomic<time_point> deadline_{time_point{}};
  std::atomic<std::stop_source*> lost_{nullptr};
  std::atomic<int> why_{0};
  std::uint32_t slot_ = no_slot;
  mode mode_;
  std::atomic<phase> phase_{phase::idle};
  core::claim_lock claim_guard_;
  std::uint8_t name_bytes_;
  std::uint8_t shard_ = 0;  // of the registry
  bool has_token_ = false;
  bool registered_ = false;
  bool enrolled_ = false;  // the holder's
  bool was_lost_ = false;  // when it began to leave; written by whoever made it leave
};

struct lease_access {
  static lease make(lease_ref s) noexcept { return lease(std::move(s)); }
  static lease_ref take(lease& l) noexcept { return std::move(l.state_); }
  /// REQUIRES: not empty.
  static lease_state& state(lease const& l) noexcept { return *l.state_; }
};

}  // namespace leasehold::inline v0_1::detail
