// Decides what can go wrong: the codes a caller can react to, the two conditions, and the text that travels with them.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/config.hpp>

#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

namespace leasehold::inline v0_1 {

struct holder_info;

/// A code exists only if a caller would react to it differently. `busy` is an answer of `try_acquire`, not an error.
enum class errc {
  timed_out = 1,    ///< not acquired within `wait`; the diagnostics name the holder
  probation,        ///< the arbiter may have forgotten its grants; nothing new is granted until `retry_after`
  cancelled,        ///< stop was requested, or the store was closed
  lost,             ///< the lease is gone: expired, evicted or taken over. Final.
  expired,          ///< release of a lease whose time had run out; nobody else was disturbed
  not_owner,        ///< release of a lease that somebody else holds by now; nothing was deleted
  outcome_unknown,  ///< the reply was lost; the request may have taken effect
  unavailable,      ///< the engine cannot be reached, or has no room
  auth,             ///< the engine, or the operating system, refused our rights
  misconfigured,    ///< settings of the engine or of the store make a safe lock impossible
  mode_mismatch,    ///< the name is in use as another kind of lock
  unsupported,      ///< this engine cannot do what was asked or required
  bad_name,         ///< not 1–255 bytes of UTF-8 without control characters
  bad_option,       ///< an option or a URL part is out of range or unknown
  internal,         ///< a broken invariant of leasehold's own; please report it
};

/// `retryable`: the same call may succeed later, unchanged. `fatal`: it will not, until somebody changes something.
/// Every errc but `lost`, `expired`, `not_owner` and `cancelled` matches exactly one.
enum class errcond { retryable = 1, fatal };

LEASEHOLD_API std::error_category const& error_category() noexcept;
LEASEHOLD_API std::error_category const& condition_category() noexcept;
inline std::error_code make_error_code(errc e) noexcept { return {static_cast<int>(e), error_category()}; }
inline std::error_condition make_error_condition(errcond c) noexcept {
  return {static_cast<int>(c), condition_category()};
}

/// What happened, in words. A value; copying shares the text. Thread-safe to read.
class LEASEHOLD_API diagnostics {
 public:
  diagnostics() = default;
  explicit diagnostics(std::string message, std::string hint = {}, std::string server_text = {});

  [[nodiscard]] bool empty() const noexcept { return data_ == nullptr; }
  /// Ours: what failed, on which store, naming the offending part. Never contains a secret.
  [[nodiscard]] std::string_view message() const noexcept;
  /// What to do next; may be empty.
  [[nodiscard]] std::string_view hint() const noexcept;
  /// The engine's own words, kept apart because they may contain user data; may be empty.
  [[nodiscard]] std::string_view server_text() const noexcept;
  /// Who held the name, when that is why; null otherwise. Lives as long as this object or a copy of it.
  [[nodiscard]] holder_info const* holder() const noexcept;
  /// Worth trying again after this long; zero when unknown.
  [[nodiscard]] duration retry_after() const noexcept;

  [[nodiscard]] diagnostics with_holder(std::shared_ptr<holder_info const> holder) const;
  [[nodiscard]] diagnostics with_retry_after(duration after) const;

 private:
  struct data;
  std::shared_ptr<data const> data_;
};

/// What throwing calls throw. `code()` is a leasehold::errc or, for system failures, keeps the system's own category.
class LEASEHOLD_API error : public std::system_error {
 public:
  explicit error(std::error_code code, leasehold::diagnostics details = {});
  ~error() override;
  [[nodiscard]] leasehold::diagnostics const& details() const noexcept { return details_; }

 private:
  leasehold::diagnostics details_;
};

/// Thrown by `lease::checkpoint` (and whatever needs a lease that is gone).
class LEASEHOLD_API lease_lost : public error {
 public:
  using error::error;
  ~lease_lost() override;
};

}  // namespace leasehold::inline v0_1

template <>
struct std::is_error_code_enum<leasehold::errc> : std::true_type {};
template <>
struct std::is_error_condition_enum<leasehold::errcond> : std::true_type {};
