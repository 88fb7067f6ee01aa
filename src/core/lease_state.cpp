#include "core/lease_state.hpp"

#include "core/blocking_driver.hpp"
#include "model/assert.hpp"
#include "model/deadline.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace leasehold::inline v0_1::detail {

void drop_reference::operator()(lease_state* which) const noexcept { which->drop(); }

lease_ref lease_state::make(std::shared_ptr<store_state> where, std::unique_ptr<spi::claim> claim,
                            std::string_view name, acquire_options const& options) {
  return lease_ref(new (name.size()) lease_state(std::move(where), std::move(claim), name, options));
}

lease_ref lease_state::share_if_alive() noexcept {
  auto n = references_.load(std::memory_order_relaxed);
  while (n != 0 && !references_.compare_exchange_weak(n, n + 1, std::memory_order_relaxed)) {
  }
  return lease_ref(n != 0 ? this : nullptr);
}

void lease_state::drop() noexcept {
  // Only the registry hands out references to what is not enrolled, and does so under its lock: what has left it and has one
  // reference stays so, and needs no locked instruction to give that back. (With one reference nobody else writes these flags.)
  if (references_.load(std::memory_order_acquire) == 1 && !enrolled_ && registered_) {
    leave_registry();
    if (references_.load(std::memory_order_acquire) == 1) return delete this;
  }
  // The only one there is cannot become more: those who look for it in lists are refused from here on, and wait for their lock.
  bool const is_last = references_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  if (is_last) delete this;
}

void lease_state::leave_registry() noexcept {
  if (is_void() || !std::exchange(registered_, false)) return;
  store_->leases.remove(*this, shard_);
}

lease_state::lease_state(std::shared_ptr<store_state> where, std::unique_ptr<spi::claim> claim, std::string_view name,
                         acquire_options const& options)
    : store_(std::move(where)),
      claim_(std::move(claim)),
      max_hold_(options.max_hold.value_or(duration::zero())),
      hold_at_least_(options.hold_at_least),
      mode_(options.mode),
      name_bytes_(static_cast<std::uint8_t>(name.size())) {
  LEASEHOLD_ASSERT(name.size() <= UINT8_MAX);
  std::memcpy(reinterpret_cast<char*>(this + 1), name.data(), name.size());
  keep_.how = options.renew;
}

lease_state::~lease_state() {
  if (is_void()) {
    static_cast<void>(claim_.release());  // the parent's; its destructor might touch what only the parent may
    return;
  }
  leave_registry();
  static_cast<void>(release());
  if (enrolled_) store_->keeper->dismiss(*this);  // a close may have released it before it was enrolled
  delete lost_.load();
}

void lease_state::begin(time_point sent_at, spi::granted const& grant) noexcept {
  LEASEHOLD_ASSERT(phase_.load(std::memory_order_relaxed) != phase::held);
  LEASEHOLD_ASSERT(!grant.token || !has_token_ || *grant.token > token_ || !mode_.is_exclusive());
  if (lost_.load(std::memory_order_relaxed) != nullptr) delete lost_.exchange(nullptr);
  if (!std::exchange(registered_, true)) shard_ = store_->leases.add(*this);
  keep_.grant(sent_at, grant.ttl, max_hold_);
  has_token_ = grant.token.has_value();
  token_ = grant.token.value_or(0);
  slot_ = grant.slot.value_or(no_slot);
  acquired_at_ = sent_at;
  why_.store(0, std::memory_order_relaxed);
  deadline_.store(keep_.deadline, std::memory_order_relaxed);
  enrolled_ = keep_.needs_keeper();
  phase_.store(phase::held, std::memory_order_release);
  if (enrolled_) store_->keeper->enrol(*this, keep_.next());
}

bool lease_state::held() noexcept {
  if (!is_held() || is_void()) return false;
  if (auto const d = deadline(); d != time_point::max() && store_->now() >= d) {
    lose(errc::lost);
    return false;
  }
  check_revoked();
  return is_held();
}

void lease_state::check_revoked() noexcept {
  if (is_held() && claim_->revoked()) lose(errc::lost, event_kind::evicted);
}

std::error_code lease_state::error() const noexcept {
  if (is_void()) return errc::lost;
  auto const why = why_.load(std::memory_order_acquire);
  return why == 0 ? std::error_code{} : make_error_code(static_cast<errc>(why));
}

time_point lease_state::deadline() const noexcept { return deadline_.load(std::memory_order_acquire); }

/// The one way from held to lost; whoever comes first tells.
void lease_state::lose(errc why, event_kind kind) noexcept {
  auto expected = phase::held;
  if (!phase_.compare_exchange_strong(expected, phase::lost)) return;
  why_.store(static_cast<int>(why), std::memory_order_release);
  request_lost_stop();
  if (kind != event_kind::lost) tell(kind, store_->now() - acquired_at_, why);
  tell(event_kind::lost, store_->now() - acquired_at_, why);
}

void lease_state::request_lost_stop() noexcept {
  if (auto* source = lost_.load()) core::announce_loss(*source);
}

std::stop_token lease_state::lost_token() {
  auto* source = lost_.load();
  if (source == nullptr) {
    auto fresh = std::make_unique<std::stop_source>();
    if (lost_.compare_exchange_strong(source, fresh.get())) source = fresh.release();
  }
  auto token = source->get_token();
  // A loss that looked for the source before it was there has told nobody.
  if (phase_.load() == phase::lost) request_lost_stop();
  if (is_void()) source->request_stop();
  return token;
}

model::keep_action lease_state::due(time_point now) noexcept {
  if (!is_held()) return model::keep_action::nothing;
  constexpr duration batch_window = std::chrono::milliseconds(50);
  auto const early = std::min(batch_window, keep_.ttl / 12);
  if (keep_.due(now) == model::keep_action::lose) {
    lose(errc::lost);
    return model::keep_action::lose;
  }
  return keep_.renew_at <= model::after(now, early) ? model::keep_action::renew : model::keep_action::nothing;
}

duration lease_state::request_limit() const noexcept {
  auto const ttl = keep_.ttl > duration::zero() ? std::optional(keep_.ttl) : std::nullopt;
  return model::op_timeout_for(store_->op_timeout, ttl);
}

result<duration> lease_state::ask_renewal() noexcept {
  if (auto now_answer = claim_->renew_now()) return std::move(*now_answer);
  core::blocking_driver driver(*store_->env);
  auto t = claim_->renew();
  t.start(driver);
  auto const limit = model::after(store_->now(), request_limit());
  if (!driver.run_until(t, std::min(limit, keep_.deadline))) return errc::outcome_unknown;
  return t.take();
}

std::error_code lease_state::renewal_answered(time_point sent_at, time_point now,
                                              result<duration> const& answer) noexcept {
  if (answer) {
    auto const ttl = *answer > duration::zero() ? std::optional(*answer) : std::nullopt;
    if (!is_held() || !keep_.renewed(sent_at, now, ttl)) {
      lose(errc::lost);
      return errc::lost;
    }
    deadline_.store(keep_.deadline, std::memory_order_release);
    tell(event_kind::renewed, now - sent_at);
    return {};
  }
  auto const why = answer.error();
  if (why == errc::lost || now >= keep_.deadline) {
    lose(errc::lost);
    return errc::lost;
  }
  keep_.renewal_failed(now);
  tell(event_kind::jeopardy, now - sent_at, why);
  return why;
}

std::error_code lease_state::renew() {
  if (!held()) return errc::lost;
  std::lock_guard hold(claim_guard_);
  if (!held()) return errc::lost;
  auto const sent_at = store_->now();
  auto const answer = ask_renewal();
  return renewal_answered(sent_at, store_->now(), answer);
}

namespace {

/// A release whose reply was lost is repeated: it names the claim's own grant, so it frees nothing newer (OWN-3).
constexpr int withdrawals = 3;

}  // namespace

duration lease_state::hold_off() const noexcept {
  if (hold_at_least_ <= duration::zero()) return {};
  return std::max(duration::zero(), hold_at_least_ - (store_->now() - acquired_at_));
}

std::error_code lease_state::withdraw(time_point latest) noexcept {
  auto const rest = hold_off();
  auto const at_once = claim_->withdraw_now(rest);
  if (at_once && at_once->error() != errc::outcome_unknown) return at_once->error();
  auto const now = store_->now();
  auto const limit = std::min(model::after(now, request_limit()), keep_.deadline);
  auto const until = std::min(latest, std::max(limit, model::after(now, model::timer_slack)));
  auto code = ask_withdrawal(rest, until);
  for (int i = 1; i < withdrawals && code == errc::outcome_unknown && store_->now() < until; ++i) {
    code = ask_withdrawal(rest, until);
  }
  return code;
}

std::error_code lease_state::ask_withdrawal(duration hold_off, time_point until) noexcept {
  if (auto const answer = claim_->withdraw_now(hold_off)) return answer->error();
  core::blocking_driver driver(*store_->env);
  auto t = claim_->withdraw(hold_off);
  t.start(driver);
  if (!driver.run_until(t, until)) return errc::outcome_unknown;
  return t.take().error();
}

std::error_code lease_state::release(time_point latest) noexcept {
  if (is_void()) return errc::lost;
  auto const seen = phase_.load(std::memory_order_acquire);
  if (seen == phase::idle || seen == phase::released || seen == phase::departing) return {};
  if (auto const d = deadline(); d != time_point::max() && is_held() && store_->now() >= d) lose(errc::lost);
  std::lock_guard hold(claim_guard_);
  auto const before = phase_.load(std::memory_order_relaxed);
  if (before == phase::released || before == phase::departing) return {};
  was_lost_ = phase_.exchange(phase::leaving) == phase::lost;
  if (enrolled_) store_->keeper->dismiss(*this);
  return withdrawn(withdraw(latest));
}

std::error_code lease_state::withdrawn(std::error_code code) noexcept {
  // INVARIANT: who reads `released` without the guard may rely on the withdrawal being over.
  phase_.store(phase::released, std::memory_order_release);
  if (was_lost_ && !code) code = errc::expired;
  if (why_.load(std::memory_order_relaxed) == 0) {
    why_.store(static_cast<int>(errc::lost), std::memory_order_release);  // a released lease is not held
  }
  if (!store_->audience.empty()) tell(event_kind::released, store_->now() - acquired_at_, code);
  return code;
}

bool lease_state::begin_departure(std::error_code& why) noexcept {
  why = is_void() ? make_error_code(errc::lost) : std::error_code{};
  if (why) return false;
  static_cast<void>(held());  // a deadline that has passed is a loss
  auto seen = phase::held;
  bool ours = phase_.compare_exchange_strong(seen, phase::departing);
  if (!ours && seen == phase::lost) ours = phase_.compare_exchange_strong(seen, phase::departing);
  if (ours) was_lost_ = seen == phase::lost;
  return ours;
}

spi::task<std::error_code> lease_state::depart() {
  while (!claim_guard_.try_lock()) {  // the keeper asks for its renewal: whatever comes of that, it is over soon
    spi::wait_request moment{};
    moment.until = store_->now() + std::chrono::milliseconds(1);
    co_await spi::wait_on(moment);
  }
  std::lock_guard const hold(claim_guard_, std::adopt_lock);
  if (enrolled_) store_->keeper->dismiss(*this);
  auto const rest = hold_off();
  std::error_code code = errc::outcome_unknown;
  for (int i = 0; i < withdrawals && code == errc::outcome_unknown; ++i) {
    if (auto const at_once = claim_->withdraw_now(rest)) {
      code = at_once->error();
      continue;
    }
    auto const answer = co_await claim_->withdraw(rest);
    code = answer.error();
  }
  co_return withdrawn(code);
}

std::error_code lease_state::end_departure() noexcept {
  std::lock_guard hold(claim_guard_);
  if (phase_.load(std::memory_order_relaxed) == phase::released) return {};
  if (enrolled_) store_->keeper->dismiss(*this);
  return withdrawn(withdraw(time_point::max()));
}

result<std::string> lease_state::detach() {
  if (!held()) return errc::lost;
  std::lock_guard hold(claim_guard_);
  if (keep_.ttl == duration::zero()) {
    return failure{errc::unsupported, diagnostics("a lease without a TTL cannot outlive its process", "ask for a ttl")};
  }
  core::blocking_driver driver(*store_->env);
  auto ticket = driver.run(claim_->detach());
  if (!ticket) return ticket;
  phase_.store(phase::released);
  store_->keeper->dismiss(*this);
  return ticket;
}

void lease_state::tell(event_kind kind, duration took, std::error_code code) noexcept {
  if (store_->audience.empty()) return;
  try {
    event e;
    e.kind = kind;
    e.name = name();
    e.token = token();
    e.deadline = deadline();
    e.took = took;
    e.code = code;
    store_->audience.tell(std::move(e));
  } catch (...) {
    return;  // out of memory: the event is lost, the lock is not
  }
}

}  // namespace leasehold::inline v0_1::detail
