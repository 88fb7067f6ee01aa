#include <leasehold/release_operation.hpp>

#include "core/foreign_driver.hpp"
#include "core/lease_state.hpp"
#include "model/assert.hpp"

#include <optional>
#include <string>
#include <utility>

namespace leasehold::inline v0_1 {

/// INVARIANT: the task goes first; it uses the two others. The lease is taken last, so that what throws before leaves it alone.
struct release_operation::state {
  explicit state(lease& held)
      : driver(detail::lease_access::state(held).where().env), which(detail::lease_access::take(held)) {
    if (!which || !which->begin_departure(outcome)) return;
    rest.emplace(which->depart());
    rest->start(driver);
  }
  [[nodiscard]] bool ended() const noexcept { return !rest || rest->done(); }

  core::foreign_driver driver;
  detail::lease_ref which;
  std::optional<spi::task<std::error_code>> rest;
  std::error_code outcome;
};

release_operation::release_operation(lease&& held) {
  if (!held) throw error(errc::bad_option, diagnostics("this lease is empty", "release one that was acquired"));
  state_ = std::make_unique<state>(held);
}
release_operation::release_operation(release_operation&&) noexcept = default;

release_operation& release_operation::operator=(release_operation&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

release_operation::~release_operation() {
  if (!state_ || state_->ended()) return;
  state_->rest.reset();  // its leaf leaves the driver
  static_cast<void>(state_->which->end_departure());
}

bool release_operation::advance() {
  if (!state_->ended()) state_->driver.advance();
  return state_->ended();
}

int release_operation::descriptor() const noexcept { return state_->driver.descriptor(); }

void release_operation::take(std::error_code& ec) noexcept {
  LEASEHOLD_ASSERT(state_->ended());
  if (state_->rest) state_->outcome = state_->rest->take();
  state_->rest.reset();
  ec = state_->outcome;
}

void release_operation::take() {
  std::error_code ec;
  take(ec);
  if (ec) failure(ec, diagnostics("releasing " + std::string(state_->which->name()))).raise();
}

}  // namespace leasehold::inline v0_1
