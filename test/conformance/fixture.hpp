// Decides what the suite asks of an engine's test fixture: clients, faults, time, and a second process where there can be one.
#pragma once

#include <leasehold/leasehold.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace leasehold::conformance {

/// A holder, or waiter, out of reach of this thread: another process, or another client with a thread of its own.
class party {
 public:
  party() = default;
  party(party const&) = delete;
  party& operator=(party const&) = delete;
  virtual ~party() = default;

  /// Waits until it holds; its token.
  virtual std::uint64_t await_grant() = 0;
  virtual bool held() = 0;
  virtual std::error_code release() = 0;
  /// Records a completion, for a day.
  virtual std::error_code complete(std::string_view result) = 0;
  /// Freezes it, or cuts it off: it does nothing that the engine can see until `resume`.
  virtual void pause() = 0;
  virtual void resume() = 0;
  /// It dies without a word.
  virtual void kill() = 0;
};

/// The options of a party, as they can be handed to another process.
struct party_options {
  std::optional<duration> ttl{};
  leasehold::mode mode = leasehold::mode::exclusive();
  duration lock_delay{};
  std::string identity = "party";
  std::string note{};  ///< left once it holds
};

/// One fresh engine. What it cannot do returns false or null; the test is then skipped, naming engine and capability.
class fixture {
 public:
  fixture() = default;
  fixture(fixture const&) = delete;
  fixture& operator=(fixture const&) = delete;
  virtual ~fixture() = default;

  [[nodiscard]] virtual store client(open_options const& options = {}) = 0;
  /// Lets time pass: at once where it is virtual, else by sleeping.
  virtual void advance(duration by) = 0;
  [[nodiscard]] virtual time_point now() const = 0;
  [[nodiscard]] virtual bool is_virtual() const = 0;
  /// Begins to acquire, with unbounded wait.
  [[nodiscard]] virtual std::unique_ptr<party> start_party(std::string_view name, party_options const& options) = 0;

  virtual bool pause(store const& /*client*/) { return false; }
  virtual bool resume(store const& /*client*/) { return false; }
  /// The next `n` requests take effect but are not answered.
  virtual bool lose_replies(store const& /*client*/, std::uint32_t /*n*/) { return false; }
  virtual bool lose_requests(store const& /*client*/, std::uint32_t /*n*/) { return false; }
  /// Requests arrive as ever, their replies so much later.
  virtual bool delay_replies(store const& /*client*/, duration /*by*/) { return false; }
  /// The engine crashes and comes back without memory of its grants.
  virtual bool forget() { return false; }
  /// Requests that have reached the engine; nullopt where they cannot be counted.
  virtual std::optional<std::uint64_t> requests() { return std::nullopt; }

  /// Whether those who wait can be seen by others.
  [[nodiscard]] virtual bool shows_waiters() const { return true; }
  /// How much later than the TTL somebody may find out that a silent holder's time is over: an engine without a clock of its own
  /// has to watch him stand still.
  [[nodiscard]] virtual duration notice() const { return duration::zero(); }

  /// A TTL short enough to wait for, long enough to be kept on a loaded machine.
  [[nodiscard]] virtual duration ttl() const {
    return is_virtual() ? std::chrono::seconds(10) : std::chrono::milliseconds(800);
  }
  /// One that nobody waits for.
  [[nodiscard]] virtual duration ttl_long() const { return std::chrono::seconds(30); }
  /// How long after it froze a holder of a lease of `ttl()` is in nobody's way any more.
  [[nodiscard]] virtual duration frozen_limit() const { return ttl() + ttl() / 4; }
  /// Whether a lease can outlive its holder's connection, until its TTL.
  [[nodiscard]] virtual bool keeps_leases_of_the_dead() const { return true; }
};

}  // namespace leasehold::conformance
