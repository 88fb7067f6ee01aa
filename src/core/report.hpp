// Decides how a result becomes the error_code form of a public call.
#pragma once

#include <leasehold/result.hpp>

#include <system_error>
#include <utility>

namespace leasehold::inline v0_1::core {

/// The value, or a default-constructed `T` with `ec` (and `details`, if wanted) filled.
template <class T>
T report(result<T> outcome, std::error_code& ec, diagnostics* details = nullptr) {
  ec = outcome.error();
  if (outcome) return std::move(*outcome);
  if (details != nullptr) *details = outcome.get_failure().details;
  return T{};
}

}  // namespace leasehold::inline v0_1::core
