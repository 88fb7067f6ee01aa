#include "core/acquire.hpp"

#include "core/blocking_driver.hpp"
#include "model/deadline.hpp"

namespace leasehold::inline v0_1::core {

using model::acquire_action;

std::optional<hold> opening::plain_hold(spi::environment const& env) const {
  if (!answer || !*answer) return std::nullopt;
  auto const* grant = std::get_if<spi::granted>(&**answer);
  if (grant == nullptr || grant->ttl) return std::nullopt;
  if (sent_at != time_point{}) return hold{sent_at, *grant};
  return hold{grant->at != time_point{} ? grant->at : env.now(), *grant};
}

opening ask_at_once(spi::environment const& env, spi::claim& claim, std::optional<duration> wait, bool timed) {
  auto const sent_at = timed ? env.now() : time_point{};
  bool const once = wait && *wait <= duration::zero();
  return {sent_at, once ? claim.attempt_once_now() : claim.attempt_now()};
}

void tell_acquired(detail::store_state& where, std::string_view name, hold const& held, time_point called_at) {
  event e;
  e.kind = event_kind::acquired;
  e.name = std::string(name);
  e.token = held.grant.token;
  e.took = where.now() - called_at;
  where.audience.tell(std::move(e));
}

acquire_flow::acquire_flow(detail::store_state& where, spi::claim& claim, std::string_view name,
                           std::optional<duration> wait)
    : where_(where), claim_(claim), name_(name), wait_(wait), machine_(wait) {}

void acquire_flow::begin(opening const& first) {
  started_at_ = first.sent_at != time_point{} ? first.sent_at : where_.now();
  sent_at_ = started_at_;
  step_ = machine_.start(started_at_);
  if (first.answer) settle(take(*first.answer));
}

/// Feeds one answer to the machine.
model::acquire_step acquire_flow::take(result<spi::answer> const& answer) {
  auto const now = where_.now();
  if (!answer) {
    details_ = answer.get_failure().details;
    return machine_.failed(now, answer.error(), details_.retry_after());
  }
  if (auto const* grant = std::get_if<spi::granted>(&*answer)) {
    grant_ = *grant;
    return machine_.granted(now, model::deadline_of(sent_at_, grant->ttl));
  }
  busy_ = std::get<spi::busy>(*answer);
  return machine_.refused(now, busy_.retry_after);
}

void acquire_flow::settle(model::acquire_step const& step) {
  step_ = step;
  granted_ = step.what == acquire_action::take;
  done_ = granted_ || step.what == acquire_action::fail;
  if (step.what == acquire_action::fail) why_ = step.why;
}

spi::task<result<spi::answer>> acquire_flow::ask(acquire_action how) {
  sent_at_ = where_.now();
  auto answer = how == acquire_action::attempt ? claim_.attempt_now() : claim_.attempt_once_now();
  if (answer) co_return std::move(*answer);
  if (how == acquire_action::attempt) co_return co_await claim_.attempt();
  co_return co_await claim_.attempt_once();
}

void acquire_flow::run(std::stop_token const& stop) {
  detail::store_state::visit const inside(where_);
  blocking_driver(*where_.env, stop).run(finish());
}

spi::task<void> acquire_flow::finish() {
  auto& drive = co_await spi::this_driver();
  machine_.spread(where_.env->jitter());
  while (!done_) {
    switch (step_.what) {
      case acquire_action::attempt:
      case acquire_action::attempt_once: {
        auto const answer = co_await ask(step_.what);
        settle(take(answer));
        break;
      }
      case acquire_action::sleep: {
        co_await tell_waiting();
        auto const why = co_await claim_.changed(step_.until);
        settle(machine_.woke(where_.now(), why == spi::wake::stopped));
        break;
      }
      case acquire_action::withdraw: {
        // INVARIANT: cleanup has its own budget; a stop that ended the wait does not end it too (CANCEL-1).
        drive.shield(true);
        auto const left = claim_.withdraw_now(duration::zero());
        if (!left) static_cast<void>(co_await claim_.withdraw(duration::zero()));
        drive.shield(false);
        settle(machine_.withdrawn(where_.now()));
        break;
      }
      case acquire_action::take:
      case acquire_action::fail:
        LEASEHOLD_ASSERT(done_);
        break;
    }
  }
  if (!granted_) co_await describe_failure();
}

spi::task<std::shared_ptr<holder_info const>> acquire_flow::holder() {
  if (busy_.holder) co_return busy_.holder;
  auto info = co_await where_.backend->inspect(name_);
  if (!info || info->holders.empty()) co_return nullptr;
  co_return std::make_shared<holder_info const>(std::move(info->holders.front()));
}

spi::task<void> acquire_flow::tell_waiting() {
  if (where_.audience.empty()) co_return;
  auto const who = co_await holder();
  auto const token = who ? who->token : std::nullopt;
  if (told_ && token == told_token_ && busy_.ahead == told_ahead_) co_return;
  told_ = true;
  told_token_ = token;
  told_ahead_ = busy_.ahead;
  event e;
  e.kind = event_kind::waiting;
  e.name = std::string(where_.own_name(name_));
  if (who) e.holder = *who;
  e.ahead = busy_.ahead;
  e.took = where_.now() - started_at_;
  where_.audience.tell(std::move(e));
}

spi::task<void> acquire_flow::describe_failure() {
  if (why_ != errc::timed_out) co_return;
  auto who = co_await holder();
  std::string message = std::string(where_.own_name(name_)) + " was not acquired in time";
  if (who) message += ": held by " + who->identity;
  details_ = diagnostics(std::move(message), "wait longer, or see who holds it with inspect")
                 .with_holder(std::move(who))
                 .with_retry_after(busy_.retry_after);
}

}  // namespace leasehold::inline v0_1::core
