// Decides what an engine must offer: one object (the claim), three verbs and a hint; and the backend that makes claims.
// Backends read no clock but the driver's (the local engine excepted: it is its own engine). No exception crosses this line.
#pragma once

#include "spi/task.hpp"

#include <leasehold/info.hpp>
#include <leasehold/options.hpp>
#include <leasehold/result.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace leasehold::inline v0_1::spi {

/// A claim's verbs succeeded: held for `ttl` from before the request was sent (absent: until released or dead).
struct granted {
  std::optional<duration> ttl;
  std::optional<std::uint64_t> token;
  time_point at{};                      ///< when, where the engine has looked at the clock anyway; decides nothing
  std::optional<std::uint32_t> slot{};  ///< which of a semaphore's permits, where `traits::slots`
};
/// Somebody else is in the way.
struct busy {
  duration retry_after{};                     ///< a waiter without a hint looks again after this; 0 = unknown
  std::optional<std::uint32_t> ahead;         ///< how many are before this claim in line
  std::shared_ptr<holder_info const> holder;  ///< where the refusal itself tells; else core asks `inspect`
};
using answer = std::variant<granted, busy>;

/// What a claim is for. Views: the backend copies what it keeps within `make_claim`. Validated by core beforehand: name, mode
/// against traits, ttl against traits, sizes.
struct claim_spec {
  std::string_view name;  ///< namespace included
  leasehold::mode mode;
  std::optional<duration> ttl;
  duration lock_delay{};
  std::string_view identity;
  std::string_view reason;
  std::span<label const> labels{};
  std::optional<duration> op_timeout{};  ///< how long a request of its may take; absent: as the engine thinks fit
};

/// One contender, one name; its backend outlives it. One verb at a time (core serializes). The destructor does no I/O and requires a withdrawn or
/// never-attempted claim, or one whose loss was told; what else it holds stays until its TTL or the process's death.
class claim {
 public:
  claim() = default;
  claim(claim const&) = delete;
  claim& operator=(claim const&) = delete;
  virtual ~claim() = default;

  /// "May I?" May enqueue; repeats keep the place. Only this verb decides. After a `withdraw` it begins anew, with a new owner
  /// id. outcome_unknown: the caller withdraws before anything else.
  virtual task<result<answer>> attempt() = 0;
  /// As `attempt`, but a refusal leaves nothing behind: no place in line.
  virtual task<result<answer>> attempt_once() = 0;
  /// The TTL newly granted; errc::lost is final. Never resurrects. Zero stands for "no TTL".
  virtual task<result<duration>> renew() = 0;
  /// Afterwards the claim neither waits nor holds; idempotent. Errors: expired, not_owner, outcome_unknown, unavailable.
  /// `hold_off` > 0: a held name stays busy that much longer, held by nobody.
  virtual task<result<void>> withdraw(duration hold_off) = 0;
  /// "Look again": returns when the answer of `attempt` may have changed, at `until`, or on stop; may be spurious.
  virtual task<wake> changed(time_point until) {
    wait_request sleep{};
    sleep.until = until;
    co_return co_await wait_on(sleep);
  }

  // Engines that can answer without suspending (local, mem) answer here; nullopt = use the task. All of them or none.
  virtual std::optional<result<answer>> attempt_now() { return std::nullopt; }
  virtual std::optional<result<answer>> attempt_once_now() { return std::nullopt; }
  virtual std::optional<result<duration>> renew_now() { return std::nullopt; }
  virtual std::optional<result<void>> withdraw_now(duration /*hold_off*/) { return std::nullopt; }

  /// A verb follows soon: an engine in memory may ask for the cache lines it will touch.
  virtual void prefetch() const noexcept {}

  /// True once the engine knows, without asking anybody, that a granted claim is gone. Thread-safe, a few nanoseconds.
  [[nodiscard]] virtual bool revoked() const noexcept { return false; }
  // Of a held, exclusive claim; sizes against traits were checked by core. What the views show lives until the task ends.
  /// errc::lost: the name is not its own any more.
  virtual task<result<void>> put_note(std::string_view /*text*/) { co_return failure{errc::unsupported}; }
  virtual task<result<std::optional<previous_holder>>> previous() { co_return failure{errc::unsupported}; }
  /// INVARIANT: stored only if the name is the claim's own in the same atomic step, and nothing is recorded under it yet: what
  /// is there stays. Success if this claim's own is there. errc::lost, errc::not_owner: there is another's.
  virtual task<result<void>> put_record(std::string_view /*value*/, duration /*window*/) {
    co_return failure{errc::unsupported};
  }
  /// Makes a held claim with a TTL outlive this object and process, until its TTL; the ticket adopts it.
  virtual task<result<std::string>> detach() { co_return failure{errc::unsupported}; }
};

class backend {
 public:
  backend() = default;
  backend(backend const&) = delete;
  backend& operator=(backend const&) = delete;
  virtual ~backend() = default;

  [[nodiscard]] virtual leasehold::traits const& traits() const noexcept = 0;
  /// Thread-safe; no I/O.
  virtual std::unique_ptr<claim> make_claim(claim_spec const& spec) = 0;
  /// A claim that holds what `ticket` names, or errc::lost. The granted part says what is left.
  struct adopted {
    std::unique_ptr<spi::claim> claim;
    granted grant;
  };
  virtual task<result<adopted>> adopt(claim_spec const& /*spec*/, std::string_view /*ticket*/) {
    co_return failure{errc::unsupported};
  }
  virtual task<result<lock_info>> inspect(std::string_view name) = 0;
  /// Sorted by name.
  virtual task<result<std::vector<lock_info>>> list(std::string_view prefix) = 0;
  virtual task<result<void>> evict(std::string_view name, std::uint64_t token, evict_options const& options) = 0;
  /// What `claim::put_record` stored, while its window lasts.
  virtual task<result<std::optional<completion>>> get_record(std::string_view /*name*/) {
    co_return failure{errc::unsupported};
  }
  virtual task<std::vector<finding>> diagnose() { co_return std::vector<finding>{}; }

  /// One request for many where the engine can. `out[i]` is what `claims[i]->renew()` would have said. This default asks one
  /// after the other, so that one slow answer holds back the rest: an engine whose claims suspend overrides it (RENEW-6).
  virtual task<void> renew(std::span<claim* const> claims, std::span<result<duration>> out) {
    for (std::size_t i = 0; i < claims.size(); ++i) out[i] = co_await claims[i]->renew();
  }

  /// `tell` is called, on any thread, whenever some claim's `revoked()` has turned true. Set once, before the first claim;
  /// an empty function unsets it and returns only when no call is in progress.
  virtual void on_revocation(std::function<void()> /*tell*/) {}
  /// Flushes and disconnects; later verbs fail with errc::cancelled. Idempotent.
  virtual void close() noexcept {}
};

/// The outside world as core sees it: time. Replaced by mem (virtual time) and the simulator.
class environment {
 public:
  environment() = default;
  environment(environment const&) = delete;
  environment& operator=(environment const&) = delete;
  virtual ~environment() = default;
  [[nodiscard]] virtual time_point now() const noexcept = 0;
  /// In [0, 1); spreads polls, decides nothing else.
  [[nodiscard]] virtual double jitter() noexcept = 0;
  /// Non-real time: sleepers register and are woken on every step. Default: real time, nothing to do.
  [[nodiscard]] virtual bool is_virtual() const noexcept { return false; }
  virtual void add_sleeper(std::shared_ptr<waker> /*who*/) {}
  virtual void remove_sleeper(waker const* /*who*/) noexcept {}
};

struct opened {
  std::shared_ptr<spi::backend> backend;
  std::shared_ptr<environment> env;  ///< null: the real one
  std::string url;                   ///< redacted, canonical
};

}  // namespace leasehold::inline v0_1::spi
