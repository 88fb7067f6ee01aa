// Decides how a program reaches an engine and asks it for leases.
#pragma once

#include <leasehold/error.hpp>
#include <leasehold/info.hpp>
#include <leasehold/lease.hpp>
#include <leasehold/observer.hpp>
#include <leasehold/options.hpp>
#include <leasehold/result.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1 {

namespace detail {
class store_state;
struct store_access;
}  // namespace detail

/// An opened connection to one engine. Copyable (copies share it) and thread-safe; empty only when default-constructed or
/// moved from. Leases keep what they need alive, so a store may be destroyed before them.
///
/// Every call that can fail comes in two forms: one throws `leasehold::error`, one fills an `std::error_code` (and, where asked,
/// `diagnostics`). Errors common to all: errc::bad_name, errc::bad_option, errc::unsupported, errc::unavailable, errc::auth,
/// errc::misconfigured, errc::probation, errc::cancelled (the store was closed).
class LEASEHOLD_API store {
 public:
  store() noexcept = default;
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// One try; never waits for another holder. Busy is an answer, not an error.
  [[nodiscard]] try_result try_acquire(std::string_view name, acquire_options const& options = {}) const;
  [[nodiscard]] result<try_result> try_acquire(std::string_view name, acquire_options const& options,
                                               std::nothrow_t) const;

  /// Waits in line up to `options.wait`. Blocks the calling thread only; does its own I/O on it. Further errors: errc::timed_out
  /// (the holder is in the diagnostics), errc::cancelled on stop. A grant that races with the end is given back, never leaked.
  [[nodiscard]] lease acquire(std::string_view name, acquire_options const& options = {},
                              std::stop_token stop = {}) const;
  /// As above; returns an empty lease on failure.
  [[nodiscard]] lease acquire(std::string_view name, acquire_options const& options, std::stop_token stop,
                              std::error_code& ec, diagnostics* details = nullptr) const;

  /// Takes up a lease that was detached. errc::lost when its time had run out or somebody else took the name.
  [[nodiscard]] lease adopt(std::string_view name, std::string_view ticket, acquire_options const& options = {}) const;
  [[nodiscard]] lease adopt(std::string_view name, std::string_view ticket, acquire_options const& options,
                            std::error_code& ec, diagnostics* details = nullptr) const;

  /// What is known of one name. A free name is no error.
  [[nodiscard]] lock_info inspect(std::string_view name) const;
  [[nodiscard]] result<lock_info> inspect(std::string_view name, std::nothrow_t) const;
  /// Names held, waited for or held off, that begin with `prefix`; sorted by name.
  [[nodiscard]] std::vector<lock_info> list(std::string_view prefix = {}) const;
  [[nodiscard]] result<std::vector<lock_info>> list(std::string_view prefix, std::nothrow_t) const;

  /// What `lease::complete` recorded under this name, while its window lasts. errc::unsupported where the engine records nothing.
  [[nodiscard]] std::optional<completion> find_completion(std::string_view name) const;
  [[nodiscard]] result<std::optional<completion>> find_completion(std::string_view name, std::nothrow_t) const;

  /// Takes the name from the holder whose token is `token`; errc::not_owner if that is not the holder any more. The next grant's
  /// token is larger, so the evicted holder is fenced.
  void evict(std::string_view name, std::uint64_t token, evict_options const& options = {}) const;
  [[nodiscard]] result<void> evict(std::string_view name, std::uint64_t token, evict_options const& options,
                                   std::nothrow_t) const;

  [[nodiscard]] leasehold::traits const& traits() const noexcept;
  /// The store's URL with secrets replaced by `***`.
  [[nodiscard]] std::string const& url() const noexcept;
  /// A health check of engine and settings; touches no user's lock.
  [[nodiscard]] std::vector<finding> diagnose() const;

  /// Observers are told of later events of this store and its copies until they are destroyed.
  void observe(std::weak_ptr<observer> who) const;
  [[nodiscard]] std::uint64_t events_dropped() const noexcept;

  /// Releases every lease still held, joins the keeper, tells the observers what is left; later calls fail with
  /// errc::cancelled. Idempotent. Returns false if `timeout` passed first (what is left then expires by its TTL).
  bool close(duration timeout) const;

 private:
  friend struct detail::store_access;
  std::shared_ptr<detail::store_state> state_;
};

/// Opens the store that `url` names, for instance "local:", "local:/var/lib/app/locks", "mem:". The scheme picks the engine; an
/// unknown scheme or query key is errc::bad_option and named. Probes the engine unless the URL says `?lazy=1`.
[[nodiscard]] LEASEHOLD_API store open(std::string_view url, open_options const& options = {});
[[nodiscard]] LEASEHOLD_API store open(std::string_view url, open_options const& options, std::error_code& ec,
                                       diagnostics* details = nullptr);
/// Creates what `url`'s engine needs and asserts that nothing is held on it. Idempotent; never erases a store in use.
LEASEHOLD_API void initialize(std::string_view url);
[[nodiscard]] LEASEHOLD_API result<void> initialize(std::string_view url, std::nothrow_t);
/// `url` with every secret replaced by `***`; total: what is no URL comes back as "(not a URL)".
[[nodiscard]] LEASEHOLD_API std::string redacted(std::string_view url);

/// Success if `name` is 1–255 bytes of valid UTF-8 without control characters; else errc::bad_name and the offending part.
[[nodiscard]] LEASEHOLD_API result<void> check_name(std::string_view name);

}  // namespace leasehold::inline v0_1
