// Decides how several names are held as one: taken all or none, lost together, given back in reverse.
#pragma once

#include <leasehold/lease.hpp>
#include <leasehold/options.hpp>
#include <leasehold/store.hpp>

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <stop_token>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1 {

namespace detail {
struct multi_lease_access;
}

/// What one holder has of several names. Move-only; empty when default-constructed, moved from, or never granted.
///
/// The members are in canonical order, that is sorted bytewise, each name once. The set is held while every member is: the loss of
/// one is the loss of all (its other members go on being renewed until `release`, so that the work can be stopped first).
/// There is no token of the set: each resource compares the token of its own name.
///
/// Thread-safety: as `lease`.
class LEASEHOLD_API multi_lease {
 public:
  multi_lease() noexcept;
  multi_lease(multi_lease&&) noexcept;
  /// Releases what it held before.
  multi_lease& operator=(multi_lease&&) noexcept;
  /// Releases every member on the calling thread, the last first; never throws.
  ~multi_lease();

  explicit operator bool() const noexcept { return !members_.empty(); }
  [[nodiscard]] std::span<lease const> members() const noexcept { return members_; }
  /// Throws errc::bad_name if `name` is not among the members.
  [[nodiscard]] lease const& member(std::string_view name) const;
  /// `member(name).token()`.
  [[nodiscard]] std::uint64_t token(std::string_view name) const { return member(name).token(); }

  /// The earliest of the members' deadlines; `time_point::max()` when none has a TTL.
  [[nodiscard]] time_point deadline() const noexcept;
  /// Reads the clock itself; false for an empty set.
  [[nodiscard]] bool held() const noexcept;
  /// Throws `lease_lost`, naming the lost members, unless `held()`.
  void checkpoint() const;
  void checkpoint(std::error_code& ec) const noexcept;
  /// Stop is requested once any member is lost: at the latest at `deadline()`. As `lease::lost`. Requires a non-empty set.
  [[nodiscard]] std::stop_token lost() const;

  /// Renews every member; tries all of them even when one fails. The first failure is told; errc::lost is final.
  void renew();
  void renew(std::error_code& ec);
  /// Gives every member back, the last first, and empties nothing: afterwards `held()` is false. Idempotent. Every member is asked,
  /// even when one fails; the first failure is told. Errors: as `lease::release`.
  void release();
  void release(std::error_code& ec) noexcept;

 private:
  class loss;
  friend struct detail::multi_lease_access;
  explicit multi_lease(std::vector<lease> members);

  std::vector<lease> members_;
  std::unique_ptr<loss> loss_;  ///< after the members: goes first
};

/// Takes all of `names`, or none: one after the other in canonical order, waiting in each one's line, so that two callers of this
/// function never wait for each other in a circle (J. W. Havender, "Avoiding deadlock in multitasking systems", IBM Systems
/// Journal 7(2), 1968). Whatever was taken is released, the last first, before a failure is told.
///
/// `options` holds for each name; `options.wait` bounds the whole call. Names are copied before the call waits; those that are
/// written twice are taken once. Errors: as `store::acquire`; errc::timed_out names every holder in the way (the first is
/// `diagnostics::holder()`); errc::lost if a member was lost before the last was taken; errc::bad_option for no names at all.
[[nodiscard]] LEASEHOLD_API multi_lease acquire_all(store const& where, std::span<std::string_view const> names,
                                                    acquire_options const& options = {}, std::stop_token stop = {});
[[nodiscard]] LEASEHOLD_API multi_lease acquire_all(store const& where, std::span<std::string_view const> names,
                                                    acquire_options const& options, std::stop_token stop,
                                                    std::error_code& ec, diagnostics* details = nullptr);
[[nodiscard]] inline multi_lease acquire_all(store const& where, std::initializer_list<std::string_view> names,
                                             acquire_options const& options = {}, std::stop_token stop = {}) {
  return acquire_all(where, std::span(names.begin(), names.size()), options, std::move(stop));
}

}  // namespace leasehold::inline v0_1
