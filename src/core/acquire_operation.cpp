#include <leasehold/acquire_operation.hpp>

#include "core/acquire.hpp"
#include "core/blocking_driver.hpp"
#include "core/foreign_driver.hpp"
#include "core/lease_state.hpp"
#include "core/prepare.hpp"
#include "core/report.hpp"
#include "model/assert.hpp"
#include "model/deadline.hpp"

#include <optional>
#include <stop_token>
#include <string>

namespace leasehold::inline v0_1 {

/// INVARIANT: destruction order is task, flow, driver, claim: each uses only what outlives it.
struct acquire_operation::state {
  state(std::shared_ptr<detail::store_state> s, std::string_view n, acquire_options const& o)
      : where(std::move(s)), name(n), full(core::full_name(*where, name)), options(o), driver(where->env) {}

  void start() {
    auto const spec = core::prepare(*where, full, options);
    if (!spec) {
      refused = spec.get_failure();
      return;
    }
    claim = where->backend->make_claim(*spec);
    flow.emplace(*where, *claim, full, options.wait);
    flow->begin();
    if (flow->granted()) return;
    rest.emplace(flow->finish());
    rest->start(driver);
  }
  [[nodiscard]] bool ended() const noexcept { return refused || (flow && (rest ? rest->done() : flow->done())); }

  std::shared_ptr<detail::store_state> where;
  std::string name;
  std::string full;
  acquire_options options;
  std::optional<failure> refused;
  std::unique_ptr<spi::claim> claim;
  core::foreign_driver driver;
  std::optional<core::acquire_flow> flow;
  std::optional<spi::task<void>> rest;
  bool taken = false;

 private:
  struct on_close {
    state* self;
    void operator()() const noexcept { self->driver.stop(); }
  };
  std::stop_callback<on_close> on_close_{where->closing.get_token(), on_close{this}};
};

acquire_operation::acquire_operation(store const& where, std::string_view name, acquire_options const& options) {
  auto const& s = detail::store_access::state(where);
  if (!s) throw error(errc::bad_option, diagnostics("this store is empty", "open one first"));
  state_ = std::make_unique<state>(s, name, options);
  state_->start();
  // The claim has copied what it needs: nothing here may look at the caller's texts again.
  state_->options.identity = state_->options.reason = {};
  state_->options.labels = {};
}

acquire_operation::acquire_operation(acquire_operation&&) noexcept = default;

acquire_operation& acquire_operation::operator=(acquire_operation&& other) noexcept {
  std::swap(state_, other.state_);
  return *this;
}

acquire_operation::~acquire_operation() {
  if (!state_ || state_->taken || !state_->claim) return;
  state_->rest.reset();  // its leaf leaves the driver
  if (state_->claim->withdraw_now(duration::zero())) return;
  core::blocking_driver cleanup(*state_->where->env);
  auto t = state_->claim->withdraw(duration::zero());
  t.start(cleanup);
  auto const limit = model::op_timeout_for(state_->where->op_timeout, state_->options.ttl);
  static_cast<void>(cleanup.run_until(t, model::after(state_->where->now(), limit)));
}

bool acquire_operation::advance() {
  if (!state_->ended()) state_->driver.advance();
  return state_->ended();
}

int acquire_operation::descriptor() const noexcept { return state_->driver.descriptor(); }
void acquire_operation::cancel() noexcept { state_->driver.stop(); }

lease acquire_operation::take(std::error_code& ec, diagnostics* details) {
  LEASEHOLD_ASSERT(state_->ended() && !state_->taken);
  state_->taken = true;
  if (state_->refused) return core::report(result<lease>(*state_->refused), ec, details);
  auto& flow = *state_->flow;
  if (!flow.granted()) return core::report(result<lease>(failure{flow.why(), flow.details()}), ec, details);
  state_->rest.reset();
  auto held = detail::lease_state::make(state_->where, std::move(state_->claim), state_->name, state_->options);
  held->begin(flow.sent_at(), flow.grant());
  ec.clear();
  return detail::lease_access::make(std::move(held));
}

lease acquire_operation::take() {
  std::error_code ec;
  diagnostics details;
  auto out = take(ec, &details);
  if (ec) failure(ec, details).raise();
  return out;
}

}  // namespace leasehold::inline v0_1
