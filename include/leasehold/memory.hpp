// Decides what a user's unit test can do to the in-process engine: move time, lose messages, pause, fail.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/error.hpp>
#include <leasehold/store.hpp>

#include <cstdint>
#include <memory>
#include <string_view>

namespace leasehold::inline v0_1 {

/// An engine of its own inside this process, for unit tests. Each object is one separate engine; every `connect()` is one client
/// of it. Time is virtual: it stands still until `advance`, for the engine and for the leases of its stores (deadlines,
/// renewals and waits included), so tests never sleep. Class: TIMED + FENCE. Thread-safe.
///
///     leasehold::memory_engine engine;
///     auto a = engine.connect(), b = engine.connect();
///     auto held = a.acquire("x", {.ttl = 10s});
///     engine.pause(a);               // a's renewals no longer arrive
///     engine.advance(10s);           // held is lost; b can have it
class LEASEHOLD_API memory_engine {
 public:
  memory_engine();
  memory_engine(memory_engine const&) = delete;
  memory_engine& operator=(memory_engine const&) = delete;
  /// Stores connected to it may outlive it.
  ~memory_engine();

  [[nodiscard]] store connect(open_options const& options = {}) const;

  /// Moves virtual time, step by step through every renewal, deadline and wait that falls due in between; returns when all of
  /// them have been carried out.
  void advance(duration by) const;
  [[nodiscard]] time_point now() const noexcept;

  /// Until `resume`, requests of this client do not arrive, and wake-ups do not reach it. Its calls fail at once with
  /// errc::unavailable: within a call no virtual time passes, so there is no op timeout to wait for.
  void pause(store const& client) const;
  void resume(store const& client) const;
  /// The next `n` requests of this client fail without having taken effect (errc::unavailable).
  void lose_requests(store const& client, std::uint32_t n) const;
  /// The next `n` requests of this client take effect, but their replies are lost (errc::outcome_unknown).
  void lose_replies(store const& client, std::uint32_t n) const;
  /// The next `n` requests of this client fail with `code`, without having taken effect.
  void fail(store const& client, errc code, std::uint32_t n = 1) const;
  /// As if the engine had crashed and come back empty: every lease is gone, the token counter is not.
  void forget() const;
  /// How many requests have arrived.
  [[nodiscard]] std::uint64_t requests() const noexcept;

 private:
  std::shared_ptr<void> state_;
};

}  // namespace leasehold::inline v0_1
