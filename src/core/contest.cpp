#include "core/contest.hpp"

namespace leasehold::inline v0_1::core {

std::shared_ptr<detail::store_state> const& state_of(store const& where, std::string_view what) {
  if (auto const& s = detail::store_access::state(where)) return s;
  throw error(errc::bad_option, diagnostics(std::string(what) + " needs an opened store"));
}

contest::contest(std::shared_ptr<detail::store_state> where, std::string_view name, acquire_options const& options)
    : where_(std::move(where)),
      full_(std::string(full_name(*where_, name))),
      options_(options),
      identity_(options.identity),
      reason_(options.reason) {
  options_.identity = identity_;
  options_.reason = reason_;
  for (auto const& l : options.labels) label_texts_.emplace_back(std::string(l.key), std::string(l.value));
  for (auto const& [key, value] : label_texts_) labels_.push_back({key, value});
  options_.labels = labels_;
  timed_ = spec().value().ttl.has_value();
}

result<detail::lease_ref> contest::enter() const {
  auto const what = spec();
  if (!what) return what.get_failure();
  return detail::lease_state::make(where_, where_->backend->make_claim(*what), where_->own_name(full_), options_);
}

result<void> contest::win(detail::lease_state& who, std::optional<duration> wait) const {
  if (where_->is_closed() || where_->is_forked()) return spec().get_failure();
  auto const held = ask(who.claim(), wait);
  if (!held) return held.get_failure();
  who.begin(held->sent_at, held->grant);
  if (!where_->is_closed()) return {};
  // A close that did not see the hold yet is seen here.
  static_cast<void>(who.release());
  return spec().get_failure();
}

result<hold> contest::ask(spi::claim& claim, std::optional<duration> wait) const {
  bool const is_watched = !where_->audience.empty();
  auto const called_at = is_watched ? where_->now() : time_point{};
  auto const first = ask_at_once(*where_->env, claim, wait, timed_);
  auto held = first.plain_hold(*where_->env);
  if (!held) {
    acquire_flow flow(*where_, claim, full_, wait);
    flow.begin(first);
    if (!flow.done()) flow.run(where_->closing.get_token());
    if (!flow.granted()) return failure{flow.why(), flow.details()};
    held = flow.hold();
  }
  if (is_watched) tell_acquired(*where_, where_->own_name(full_), *held, called_at);
  return *held;
}

bool contest::leave(detail::lease_state& who) noexcept {
  auto const code = who.release();
  return !code || code == errc::expired || code == errc::not_owner;
}

}  // namespace leasehold::inline v0_1::core
