// Decides what a holder has: name, token, deadline, and the ways it ends.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/error.hpp>
#include <leasehold/info.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1 {

namespace detail {
class lease_state;
struct lease_access;

/// Gives one of the references to a lease's state back.
struct LEASEHOLD_API drop_reference {
  void operator()(lease_state* which) const noexcept;
};
using lease_ref = std::unique_ptr<lease_state, drop_reference>;
}  // namespace detail

/// One holder's right to a name until its deadline. Move-only; empty when default-constructed or moved from (`operator bool`).
/// Calls other than `operator bool` require a non-empty lease.
///
/// Thread-safety: all const members, `renew` and `release` may be called from any thread at once; the lease is bound to no
/// thread and lives on when the acquiring thread ends. Destroying or moving is for one thread.
/// After `fork` a child's copies are void: they answer "lost" and release nothing.
class LEASEHOLD_API lease {
 public:
  lease() noexcept = default;
  lease(lease&&) noexcept = default;
  /// Releases what it held before.
  lease& operator=(lease&&) noexcept;
  /// Releases if still ours, on the calling thread, bounded by min(op timeout, time to the deadline); never throws. A failed
  /// release is told to the observer; the name is then free after the TTL.
  ~lease();

  explicit operator bool() const noexcept { return state_ != nullptr; }

  [[nodiscard]] std::string_view name() const noexcept;
  [[nodiscard]] leasehold::mode mode() const noexcept;
  /// The fencing token: hand it to the resource, which rejects whatever carries a lower one. Larger for every later grant of
  /// this name (readers and permits may share one). Throws errc::unsupported where `has_token()` is false.
  [[nodiscard]] std::uint64_t token() const;
  [[nodiscard]] bool has_token() const noexcept;
  /// Which of a semaphore's permits this is, from 0, where `traits().slots`: nobody else holds the same one, and its fence is the
  /// pair of slot and token. Absent for other modes and engines.
  [[nodiscard]] std::optional<std::uint32_t> slot() const noexcept;

  /// Until when this process may rely on the lease: before the engine's own expiry by construction. `time_point::max()` for a
  /// lease without TTL. Moves forward with each renewal.
  [[nodiscard]] time_point deadline() const noexcept;
  [[nodiscard]] duration remaining() const noexcept;
  [[nodiscard]] time_point acquired_at() const noexcept;

  /// Reads the clock itself. Between `true` and the next side effect there is always a gap, which only the token closes.
  [[nodiscard]] bool held() const noexcept;
  /// Throws `lease_lost` unless `held()`.
  void checkpoint() const;
  void checkpoint(std::error_code& ec) const noexcept;
  /// Stop is requested at the latest at the deadline, once the lease is lost. Not on release. Callbacks run on the one thread of
  /// the process for losses: one that blocks keeps the news of other losses waiting, but no renewal and no `held()`.
  [[nodiscard]] std::stop_token lost() const;
  /// Why the lease is gone; success while it is held.
  [[nodiscard]] std::error_code error() const noexcept;

  /// Extends the deadline by the TTL first granted. errc::lost is final; any other failure leaves the deadline unchanged.
  void renew();
  void renew(std::error_code& ec);

  /// Gives the name back now; idempotent. Errors: errc::expired (time had run out, nobody disturbed), errc::not_owner
  /// (somebody else holds it by now; nothing was deleted), errc::outcome_unknown. The lease is not held afterwards, whatever
  /// the outcome.
  void release();
  void release(std::error_code& ec) noexcept;

  /// Leaves a word on how far the work has come, in place of the one before: others see it (`store::inspect`), and whoever gets the name
  /// after a crash reads it (`previous`). At most `traits().note_bytes_max` bytes of UTF-8 without control characters (errc::bad_option);
  /// exclusive leases only. errc::unsupported where the engine keeps no notes; errc::lost.
  void note(std::string_view text);
  void note(std::string_view text, std::error_code& ec);
  /// The holder before this one, if it ended without releasing; with its last note. Asks the engine, which tells it as far as it still
  /// knows: absence proves nothing. Errors as `note`.
  [[nodiscard]] std::optional<previous_holder> previous() const;
  [[nodiscard]] std::optional<previous_holder> previous(std::error_code& ec) const;
  /// Records that the work of this name is done, for `window` from now, whoever holds the name later: `store::find_completion` gives
  /// `result` back until then. The engine stores it only while the name is still this lease's, compared in the same atomic step; what is
  /// recorded first stays. Keeps the lease. Errors: errc::lost (nothing was recorded), errc::not_owner (another completion is recorded),
  /// errc::outcome_unknown (the reply was lost; a repetition on the same lease is harmless), errc::bad_option (`result` longer than
  /// `traits().result_bytes_max`, or the window out of range), errc::unavailable (no room), errc::unsupported. Exclusive leases only.
  void complete(std::string_view result, duration window);
  void complete(std::string_view result, duration window, std::error_code& ec, diagnostics* details = nullptr);

  /// Gives up automatic renewal and the destructor's release, and returns a ticket with which `store::adopt` takes the lease up
  /// again, in this process or another, until its deadline. The ticket is a secret: who has it can release. Requires a TTL;
  /// errc::unsupported otherwise. Empties the lease.
  [[nodiscard]] std::string detach();

 private:
  friend struct detail::lease_access;
  explicit lease(detail::lease_ref state) noexcept;
  detail::lease_ref state_;
};

/// What `try_acquire` answers: a lease, or who is in the way.
class LEASEHOLD_API try_result {
 public:
  try_result(leasehold::lease granted) noexcept;
  try_result(duration retry_after, std::optional<std::uint32_t> ahead,
             std::shared_ptr<holder_info const> holder) noexcept;

  explicit operator bool() const noexcept { return static_cast<bool>(lease_); }
  leasehold::lease* operator->() noexcept { return &lease_; }
  leasehold::lease& operator*() & noexcept { return lease_; }
  leasehold::lease&& operator*() && noexcept { return std::move(lease_); }

  /// Null when granted, or when the engine does not tell.
  [[nodiscard]] holder_info const* holder() const noexcept { return holder_.get(); }
  /// A hint, not a promise; zero when granted.
  [[nodiscard]] duration retry_after() const noexcept { return retry_after_; }
  /// How many wait in line, where the engine keeps one.
  [[nodiscard]] std::optional<std::uint32_t> ahead() const noexcept { return ahead_; }

 private:
  leasehold::lease lease_;
  duration retry_after_{};
  std::optional<std::uint32_t> ahead_;
  std::shared_ptr<holder_info const> holder_;
};

}  // namespace leasehold::inline v0_1
