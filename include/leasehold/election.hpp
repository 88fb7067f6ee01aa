// Decides how one of several candidates leads at a time: campaign, lead, resign, observe.
#pragma once

#include <leasehold/lease.hpp>
#include <leasehold/options.hpp>
#include <leasehold/store.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1 {

namespace detail {
class election_state;
struct election_access;
class term_entry;
}  // namespace detail

struct election_options {
  /// As `acquire_options::ttl`: a leader that says nothing for this long is succeeded.
  std::optional<duration> ttl{};
  /// A term lasts at least this long: whoever resigns earlier leaves the place empty until then (against flapping).
  duration minimum_term{};
  /// Whoever has just led waits a random part of this before it stands again, so that another can be elected.
  duration pause = std::chrono::seconds(1);
  std::string_view identity{};  ///< what followers see; empty: host/pid
  std::string_view reason{};
  std::span<label const> labels{};
  requirements require{};
};

/// Who leads, as others see it.
struct leader_info {
  std::string identity;
  std::optional<std::uint64_t> term;  ///< absent where the engine has no tokens
  friend bool operator==(leader_info const&, leader_info const&) = default;
};

/// One candidate's time as the leader. Move-only; empty when default-constructed, moved from or resigned.
/// Between `held()` and the next act of the leader there is a gap that no election closes: hand `number()` to whatever the leader writes
/// to, which rejects lower ones.
class LEASEHOLD_API term {
 public:
  term() noexcept;
  term(term&&) noexcept;
  term& operator=(term&&) noexcept;
  /// Resigns.
  ~term();

  explicit operator bool() const noexcept { return static_cast<bool>(hold_); }
  /// The fencing token of this term: larger than every earlier term's. Throws errc::unsupported where the engine has none.
  [[nodiscard]] std::uint64_t number() const { return hold_.token(); }
  [[nodiscard]] bool held() const noexcept { return hold_.held(); }
  [[nodiscard]] time_point deadline() const noexcept { return hold_.deadline(); }
  /// Throws `lease_lost` unless `held()`.
  void checkpoint() const { hold_.checkpoint(); }
  /// Stop is requested at the latest at the deadline, once the term is lost; before a later term begins in this process. Not on
  /// resignation.
  [[nodiscard]] std::stop_token lost() const { return hold_.lost(); }
  /// Ends the term now; idempotent, never throws. On a dead network the place is free after the TTL. Bounded as `lease::release`.
  void resign() noexcept;

 private:
  friend struct detail::election_access;
  term(lease hold, std::shared_ptr<detail::term_entry> entry) noexcept;
  lease hold_;
  std::shared_ptr<detail::term_entry> entry_;
};

/// How a term ended.
enum class term_end {
  finished,  ///< the work returned while it led
  lost,      ///< the term was lost before the work returned
  stopped,   ///< stop was requested
};

/// One candidate for one name. The place is a lock of that name: `leasehold show NAME` names the leader, `leasehold break` deposes it.
/// Identity and term are one record, so nobody sees the one without the other.
///
/// In one process the end of an earlier term is told (callbacks of its `lost()` have run, or are running when they themselves stand
/// for election) before `campaign` returns with a later one. Between processes the deadline orders them: a term ends for its leader before the
/// engine can grant the next, under the engine's timing assumptions (`traits()`).
///
/// Thread-safe.
class LEASEHOLD_API election {
 public:
  /// Bad names and options throw here.
  election(store const& where, std::string_view name, election_options const& options = {});
  election(election const&) = delete;
  election& operator=(election const&) = delete;
  ~election();

  /// Stands, and returns when elected. Errors: as `store::acquire` with unbounded wait; errc::cancelled on stop.
  [[nodiscard]] term campaign(std::stop_token stop = {});

  /// One term: stands, then calls `work` on this thread. Its stop_token asks it to return: the term is lost, or `stop` was requested. The term
  /// is resigned when `work` returns or throws (what it throws is rethrown). Errors of standing are thrown, except that stop is no error.
  term_end lead(std::function<void(term&, std::stop_token)> const& work, std::stop_token stop = {});

  /// Who leads now; nullopt: nobody.
  [[nodiscard]] std::optional<leader_info> leader() const;

  /// Calls `tell` on this thread with the leader now, and with each change, until stop. It looks every `interval`, so terms may be skipped;
  /// they are never told out of order. While the engine cannot be asked nothing is told.
  void observe(std::function<void(std::optional<leader_info> const&)> const& tell, std::stop_token stop,
               duration interval = std::chrono::milliseconds(500)) const;

 private:
  std::unique_ptr<detail::election_state> state_;
};

}  // namespace leasehold::inline v0_1
