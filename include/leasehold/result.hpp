// Decides how an outcome travels without exceptions: a value, or a failure (code and diagnostics).
#pragma once

#include <leasehold/error.hpp>

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace leasehold::inline v0_1 {

/// The failure half of a result.
struct failure {
  std::error_code code;
  diagnostics details;

  failure(std::error_code c) : code(c) {}
  failure(errc c) : code(c) {}
  failure(std::error_code c, diagnostics d) : code(c), details(std::move(d)) {}
  /// Throws `lease_lost` for errc::lost, else `error`.
  [[noreturn]] LEASEHOLD_API void raise() const;
};

/// A `T` or a `failure`; never empty. `value()` throws the failure; `*` and `->` require `has_value()`.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;
  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  result(leasehold::failure f) : state_(std::in_place_index<1>, std::move(f)) {}
  result(errc e) : state_(std::in_place_index<1>, e) {}

  [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return has_value(); }
  T& operator*() & noexcept { return *std::get_if<0>(&state_); }
  T const& operator*() const& noexcept { return *std::get_if<0>(&state_); }
  T&& operator*() && noexcept { return std::move(*std::get_if<0>(&state_)); }
  T* operator->() noexcept { return std::get_if<0>(&state_); }
  T const* operator->() const noexcept { return std::get_if<0>(&state_); }
  T& value() & { return has_value() ? **this : (get_failure().raise(), **this); }
  T value() && { return has_value() ? std::move(**this) : (get_failure().raise(), std::move(**this)); }

  /// Requires `!has_value()`.
  [[nodiscard]] leasehold::failure const& get_failure() const noexcept { return *std::get_if<1>(&state_); }
  /// Success is the default-constructed error_code.
  [[nodiscard]] std::error_code error() const noexcept { return has_value() ? std::error_code{} : get_failure().code; }

 private:
  std::variant<T, leasehold::failure> state_;
};

template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;
  result() = default;
  result(leasehold::failure f) : failure_(std::move(f)) {}
  result(errc e) : failure_(e) {}

  [[nodiscard]] bool has_value() const noexcept { return !failure_.has_value(); }
  explicit operator bool() const noexcept { return has_value(); }
  void value() const {
    if (failure_) failure_->raise();
  }
  [[nodiscard]] leasehold::failure const& get_failure() const noexcept { return *failure_; }
  [[nodiscard]] std::error_code error() const noexcept { return has_value() ? std::error_code{} : failure_->code; }

 private:
  std::optional<leasehold::failure> failure_;
};

}  // namespace leasehold::inline v0_1
