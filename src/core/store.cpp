#include <leasehold/store.hpp>

#include "core/acquire.hpp"
#include "core/blocking_driver.hpp"
#include "core/lease_state.hpp"
#include "core/prepare.hpp"
#include "core/report.hpp"
#include "core/store_state.hpp"
#include "model/deadline.hpp"

#include <utility>

namespace leasehold::inline v0_1 {
namespace {

using core::blocking_driver;
using detail::store_state;

failure no_store() { return {make_error_code(errc::bad_option), diagnostics("this store is empty", "open one first")}; }

failure closed_store() { return {make_error_code(errc::cancelled), diagnostics("the store was closed")}; }

/// Common to all that asks the engine about a name, or all names.
result<void> usable(std::shared_ptr<store_state> const& s) {
  if (!s) return no_store();
  if (s->is_closed()) return closed_store();
  return core::check_not_forked(*s);
}

/// Carries out what asks the engine about locks; within the user's op timeout where there is one, else within the engine's own.
template <class T>
result<T> ask(store_state const& s, spi::task<result<T>> question) {
  blocking_driver driver(*s.env);
  auto t = std::move(question);  // ends before the driver that it waits on
  t.start(driver);
  auto const limit = s.op_timeout ? model::after(s.now(), *s.op_timeout) : time_point::max();
  if (driver.run_until(t, limit)) return t.take();
  return failure{make_error_code(errc::unavailable),
                 diagnostics("no answer within the op timeout", "is the engine well? or give it longer")};
}

/// A close that did not see the lease yet is seen here.
result<lease> granted_lease(std::shared_ptr<store_state> const& s, std::unique_ptr<spi::claim> claim,
                            std::string_view name, acquire_options const& options, core::hold const& held) {
  auto state = detail::lease_state::make(s, std::move(claim), name, options);
  state->begin(held.sent_at, held.grant);
  if (s->is_closed()) return closed_store();  // released by the destructor
  return detail::lease_access::make(std::move(state));
}

/// Stop of the caller's or of the store's: one token for both, without a thread.
class joined_stop {
 public:
  joined_stop(std::stop_token const& a, std::stop_token const& b) {
    if (!a.stop_possible()) {
      token_ = b;
      return;
    }
    source_ = std::stop_source();
    token_ = source_.get_token();
    a_.emplace(a, forward{&source_});
    b_.emplace(b, forward{&source_});
  }
  [[nodiscard]] std::stop_token const& token() const noexcept { return token_; }

 private:
  struct forward {
    std::stop_source* to;
    void operator()() const noexcept { to->request_stop(); }
  };
  std::stop_source source_{std::nostopstate};
  std::stop_token token_;
  std::optional<std::stop_callback<forward>> a_;
  std::optional<std::stop_callback<forward>> b_;
};

result<lease> acquire_lease(std::shared_ptr<store_state> const& s, std::string_view name,
                            acquire_options const& options, std::stop_token const& stop) {
  if (!s) return no_store();
  core::full_name const full(*s, name);
  auto const spec = core::prepare(*s, full, options);
  if (!spec) return spec.get_failure();
  if (stop.stop_requested()) return errc::cancelled;
  auto claim = s->backend->make_claim(*spec);
  bool const is_watched = !s->audience.empty();
  auto const called_at = is_watched ? s->now() : time_point{};
  auto const first = core::ask_at_once(*s->env, *claim, options.wait, spec->ttl.has_value());
  auto held = first.plain_hold(*s->env);
  if (!held) {
    core::acquire_flow flow(*s, *claim, full, options.wait);
    flow.begin(first);
    if (!flow.granted()) {
      joined_stop const either(stop, s->closing.get_token());
      flow.run(either.token());
    }
    if (!flow.granted()) return failure{flow.why(), flow.details()};
    held = flow.hold();
  }
  auto out = granted_lease(s, std::move(claim), name, options, *held);
  if (is_watched && out) core::tell_acquired(*s, name, *held, called_at);
  return out;
}

result<lease> adopt_lease(std::shared_ptr<store_state> const& s, std::string_view name, std::string_view ticket,
                          acquire_options const& options) {
  if (!s) return no_store();
  core::full_name const full(*s, name);
  auto const spec = core::prepare(*s, full, options);
  if (!spec) return spec.get_failure();
  auto const sent_at = s->now();
  auto adopted = ask(*s, s->backend->adopt(*spec, ticket));
  if (!adopted) return adopted.get_failure();
  return granted_lease(s, std::move(adopted->claim), name, options, {sent_at, adopted->grant});
}

}  // namespace

result<try_result> store::try_acquire(std::string_view name, acquire_options const& options, std::nothrow_t) const {
  if (!state_) return no_store();
  core::full_name const full(*state_, name);
  auto const spec = core::prepare(*state_, full, options);
  if (!spec) return spec.get_failure();
  auto claim = state_->backend->make_claim(*spec);
  bool const is_watched = !state_->audience.empty();
  auto const called_at = is_watched ? state_->now() : time_point{};
  auto const first = core::ask_at_once(*state_->env, *claim, duration::zero(), spec->ttl.has_value());
  auto held = first.plain_hold(*state_->env);
  if (!held) {
    core::acquire_flow flow(*state_, *claim, full, duration::zero());
    flow.begin(first);
    if (!flow.done()) flow.run({});
    if (flow.granted()) {
      held = flow.hold();
    } else {
      if (flow.why() != errc::timed_out) return failure{flow.why(), flow.details()};
      auto holder = blocking_driver(*state_->env).run(flow.holder());
      return try_result(flow.refusal().retry_after, flow.refusal().ahead, std::move(holder));
    }
  }
  auto out = granted_lease(state_, std::move(claim), name, options, *held);
  if (!out) return out.get_failure();
  if (is_watched) core::tell_acquired(*state_, name, *held, called_at);
  return try_result(std::move(*out));
}

try_result store::try_acquire(std::string_view name, acquire_options const& options) const {
  return try_acquire(name, options, std::nothrow).value();
}

lease store::acquire(std::string_view name, acquire_options const& options, std::stop_token stop) const {
  return acquire_lease(state_, name, options, stop).value();
}

lease store::acquire(std::string_view name, acquire_options const& options, std::stop_token stop, std::error_code& ec,
                     diagnostics* details) const {
  return core::report(acquire_lease(state_, name, options, stop), ec, details);
}

lease store::adopt(std::string_view name, std::string_view ticket, acquire_options const& options) const {
  return adopt_lease(state_, name, ticket, options).value();
}

lease store::adopt(std::string_view name, std::string_view ticket, acquire_options const& options, std::error_code& ec,
                   diagnostics* details) const {
  return core::report(adopt_lease(state_, name, ticket, options), ec, details);
}

result<lock_info> store::inspect(std::string_view name, std::nothrow_t) const {
  if (auto ok = usable(state_); !ok) return ok.get_failure();
  core::full_name const full(*state_, name);
  if (auto ok = core::check_full_name(*state_, full); !ok) return ok.get_failure();
  auto info = ask(*state_, state_->backend->inspect(full));
  if (info) info->name = std::string(name);
  return info;
}

lock_info store::inspect(std::string_view name) const { return inspect(name, std::nothrow).value(); }

result<std::vector<lock_info>> store::list(std::string_view prefix, std::nothrow_t) const {
  if (auto ok = usable(state_); !ok) return ok.get_failure();
  core::full_name const full(*state_, prefix);
  auto all = ask(*state_, state_->backend->list(full));
  if (all) {
    for (auto& one : *all) one.name.erase(0, state_->name_space.size());
  }
  return all;
}

std::vector<lock_info> store::list(std::string_view prefix) const { return list(prefix, std::nothrow).value(); }

result<std::optional<completion>> store::find_completion(std::string_view name, std::nothrow_t) const {
  if (auto ok = usable(state_); !ok) return ok.get_failure();
  core::full_name const full(*state_, name);
  if (auto ok = core::check_full_name(*state_, full); !ok) return ok.get_failure();
  if (auto ok = core::check_records(traits()); !ok) return ok.get_failure();
  return ask(*state_, state_->backend->get_record(full));
}

std::optional<completion> store::find_completion(std::string_view name) const {
  return find_completion(name, std::nothrow).value();
}

result<void> store::evict(std::string_view name, std::uint64_t token, evict_options const& options,
                          std::nothrow_t) const {
  if (auto ok = usable(state_); !ok) return ok.get_failure();
  core::full_name const full(*state_, name);
  if (auto ok = core::check_full_name(*state_, full); !ok) return ok.get_failure();
  return ask(*state_, state_->backend->evict(full, token, options));
}

void store::evict(std::string_view name, std::uint64_t token, evict_options const& options) const {
  evict(name, token, options, std::nothrow).value();
}

traits const& store::traits() const noexcept {
  static leasehold::traits const none{};
  return state_ ? state_->backend->traits() : none;
}

std::string const& store::url() const noexcept {
  static std::string const none;
  return state_ ? state_->url : none;
}

std::vector<finding> store::diagnose() const {
  if (auto ok = usable(state_); !ok) ok.get_failure().raise();
  return blocking_driver(*state_->env).run(state_->backend->diagnose());
}

void store::observe(std::weak_ptr<observer> who) const {
  if (state_) state_->audience.add(std::move(who));
}

std::uint64_t store::events_dropped() const noexcept { return state_ ? state_->audience.dropped() : 0; }

bool store::close(duration timeout) const { return !state_ || state_->close(timeout); }

observer::~observer() = default;

}  // namespace leasehold::inline v0_1
