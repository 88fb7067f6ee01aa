// Decides whether what a caller asks for can be asked of this store, before anything is sent; every refusal names its part.
#pragma once

#include "core/store_state.hpp"
#include "spi/backend.hpp"

#include <leasehold/options.hpp>

#include <string>
#include <string_view>

namespace leasehold::inline v0_1::core {

/// REQUIRES: `name` is the full name (namespace included) and outlives the spec.
[[nodiscard]] result<spi::claim_spec> prepare(detail::store_state const& where, std::string_view name,
                                              acquire_options const& options);
/// errc::unsupported in a child of the process that opened the store.
[[nodiscard]] result<void> check_not_forked(detail::store_state const& where);
/// `check_name` of a full name whose part behind the namespace must not be empty either.
[[nodiscard]] result<void> check_full_name(detail::store_state const& where, std::string_view name);
[[nodiscard]] result<void> check_requirements(traits const& have, requirements const& need, bool with_ttl);

/// errc::unsupported where the engine records no completions.
[[nodiscard]] result<void> check_records(traits const& have);
/// Of a completion: 1 ms to 366 days.
[[nodiscard]] result<void> check_window(duration window);

/// The store's namespace + `name`; the short-lived owner of a full name.
class full_name {
 public:
  full_name(detail::store_state const& where, std::string_view name)
      : joined_(where.name_space.empty() ? std::string() : where.name_space + std::string(name)),
        view_(where.name_space.empty() ? name : std::string_view(joined_)) {}
  full_name(full_name const&) = delete;
  operator std::string_view() const noexcept { return view_; }

 private:
  std::string joined_;
  std::string_view view_;
};

}  // namespace leasehold::inline v0_1::core
