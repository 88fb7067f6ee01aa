// Decides how one name is acquired again and again with the same options and claims, so that locking allocates nothing.
#pragma once

#include "core/acquire.hpp"
#include "core/lease_state.hpp"
#include "core/prepare.hpp"

#include <leasehold/options.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1::core {

/// What `where` is opened to; throws errc::bad_option, naming `what` needs it, for an empty store.
[[nodiscard]] std::shared_ptr<detail::store_state> const& state_of(store const& where, std::string_view what);

/// Thread-safe. A contender is a lease's state with its claim; in the hands of one thread while it contends or holds.
class contest {
 public:
  /// Copies what the options refer to. Throws `error` for a bad name or bad options.
  contest(std::shared_ptr<detail::store_state> where, std::string_view name, acquire_options const& options);
  contest(contest const&) = delete;
  contest& operator=(contest const&) = delete;

  /// A new contender. Errors: as `prepare`.
  [[nodiscard]] result<detail::lease_ref> enter() const;
  /// Waits in line up to `wait` and begins the hold. On failure the contender holds nothing and may contend again.
  [[nodiscard]] result<void> win(detail::lease_state& who, std::optional<duration> wait) const;
  /// Ends the hold. False: the outcome is not known, and the contender is not to contend again.
  [[nodiscard]] static bool leave(detail::lease_state& who) noexcept;

  [[nodiscard]] acquire_options const& options() const noexcept { return options_; }

 private:
  [[nodiscard]] result<hold> ask(spi::claim& claim, std::optional<duration> wait) const;
  [[nodiscard]] result<spi::claim_spec> spec() const { return prepare(*where_, full_, options_); }

  std::shared_ptr<detail::store_state> where_;
  std::string full_;
  acquire_options options_;
  std::string identity_;
  std::string reason_;
  std::vector<std::pair<std::string, std::string>> label_texts_;
  std::vector<label> labels_;
  bool timed_;  ///< its grants have a TTL
};

}  // namespace leasehold::inline v0_1::core
