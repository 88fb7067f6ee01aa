#include "engines/rabbitmq/claim.hpp"

#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/timing.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

/// A lock's first use makes a replicated queue, which takes a broker longer than a fraction of a short TTL.
constexpr duration patience_least = std::chrono::seconds(2);

spi::task<void> renew_seat_of(pump& p, std::vector<std::shared_ptr<seat>> seats,
                              std::shared_ptr<answer<std::vector<result<duration>>>> to) {
  auto const sent_at = p.now();
  result<void> ok;
  if (p.is_up()) {
    auto asked = co_await p.barrier();
    ok = std::move(asked);
  }
  std::vector<result<duration>> out;
  for (auto const& s : seats) {
    std::lock_guard const hold(s->guard);
    bool const kept = ok.has_value() && s->now == phase::held && s->epoch == p.epoch() && p.now() < s->expires_at;
    if (kept) {
      s->sent_at = sent_at;
      s->expires_at = after(sent_at, s->ttl);
    }
    out.push_back(kept ? result<duration>(s->ttl) : result<duration>(errc::lost));
  }
  to->give(std::move(out));
}

/// A connection that has been dead for a while may show itself only now: then once more on a new one.
spi::task<void> count(pump& p, std::string queue, std::shared_ptr<answer<result<std::optional<pump::counts>>>> to) {
  for (bool again = true;; again = false) {
    if (auto const up = p.ensure_up(); !up) co_return to->give(up.get_failure());
    auto const epoch = p.epoch();
    auto seen = co_await p.look(queue);
    bool const broke = !seen && !(p.is_up() && p.epoch() == epoch);
    if (!broke || !again) co_return to->give(std::move(seen));
  }
}

}  // namespace

failure closed_store() { return {make_error_code(errc::cancelled), diagnostics("rabbitmq: the store was closed")}; }

failure no_answer(settings const& where) {
  return {make_error_code(errc::outcome_unknown),
          diagnostics(where.shown + ": no answer in time",
                      "is the broker overloaded, or cut off? a larger op_timeout waits longer")};
}

amqp_claim::amqp_claim(backend& from, spi::claim_spec const& spec)
    : from_(from),
      name_(spec.name),
      who_(describe(spec, spec.ttl.value_or(*from.traits().ttl_default))),
      ttl_(spec.ttl.value_or(*from.traits().ttl_default)),
      lock_delay_(spec.lock_delay),
      patience_(spec.op_timeout.value_or(std::clamp<duration>(ttl_ / 4, patience_least, op_timeout_most))) {}

amqp_claim::~amqp_claim() {
  if (seat_) ask_to_leave(duration::zero());
}

/// False: the store is closed.
bool amqp_claim::sit_down(bool once) {
  auto& p = *from_.to();
  seat_ = std::make_shared<seat>(name_, queue_of(p.where().prefix, name_), once);
  revoked_->store(false);
  seat_->revoked = revoked_;
  seat_->ttl = std::min(ttl_, p.where().ttl_max());
  seat_->lock_delay = lock_delay_;
  seat_->patience = patience_ / 4 * 3;  // it gives up in time to leave nothing behind
  seat_->who = who_;
  seat_->since = p.now();
  return p.post([s = seat_, &p] {
    s->ttl = std::min(s->ttl, p.ttl_most());
    p.spawn(live(p, s));
  });
}

/// What the seat says; nullopt: nothing yet.
std::optional<result<spi::answer>> amqp_claim::look(time_point asked_at) {
  auto& s = *seat_;
  std::lock_guard const hold(s.guard);
  spi::busy refused;
  switch (s.now) {
    case phase::joining:
      return std::nullopt;
    case phase::waiting:
      return spi::answer(refused);
    case phase::recovering:
      if (s.once) return std::nullopt;
      refused.retry_after = std::max<duration>(s.free_at - clock::now(), std::chrono::milliseconds(1));
      return spi::answer(refused);
    case phase::ready: {
      s.now = phase::held;
      holds_ = true;
      // The caller counts from when it asked; the broker's word counts from `sent_at`.
      auto const shift = s.sent_at - asked_at;
      auto const ttl = shift > s.ttl / 4 ? s.ttl + shift : std::min(s.ttl, s.ttl + shift);
      return spi::answer(spi::granted{ttl, s.fence});
    }
    case phase::held:
      return spi::answer(spi::granted{s.ttl, s.fence});
    case phase::gone:
      break;
  }
  if (!s.left) return std::nullopt;
  if (s.why)
    return s.why->code == errc::expired ? result<spi::answer>(spi::answer(refused)) : result<spi::answer>(*s.why);
  if (auto const now = clock::now(); s.free_at > now) refused.retry_after = s.free_at - now;
  return spi::answer(refused);
}

spi::task<result<spi::answer>> amqp_claim::ask(bool once) {
  auto& drive = co_await spi::this_driver();
  auto const asked_at = drive.now();
  auto const until = after(asked_at, patience_);
  if (!seat_ && !sit_down(once)) {
    seat_ = nullptr;
    co_return closed_store();
  }
  auto waker = drive.get_waker();
  for (;;) {
    {
      std::lock_guard const hold(seat_->guard);
      seat_->waker = waker;
    }
    if (auto said = look(asked_at)) {
      std::lock_guard const hold(seat_->guard);
      seat_->waker = nullptr;
      if (seat_->left) seat_keep_ = std::exchange(seat_, nullptr);
      co_return std::move(*said);
    }
    spi::wait_request sleep{};
    sleep.until = until;
    auto const why = co_await spi::wait_on(sleep);
    if (why != spi::wake::ready) co_return no_answer(from_.to()->where());
  }
}

spi::task<result<duration>> amqp_claim::renew() {
  std::array<spi::claim*, 1> const me{this};
  std::array<result<duration>, 1> out{errc::outcome_unknown};
  co_await from_.renew(me, out);
  co_return out[0];
}

void amqp_claim::ask_to_leave(duration hold_off) {
  auto& p = *from_.to();
  auto const at = after(p.now(), hold_off);
  {
    std::lock_guard const hold(seat_->guard);
    seat_->now = phase::gone;
    seat_->leave_by_request = at;
  }
  p.post([s = seat_, &p] {
    {
      std::lock_guard const hold(s->guard);
      s->note_request();
    }
    p.ring(s->event);
  });
}

/// Whether anybody else has it by now.
spi::task<result<void>> amqp_claim::outcome_of_loss(time_point until) {
  auto& p = *from_.to();
  auto found = std::make_shared<answer<result<std::optional<pump::counts>>>>();
  auto const queue = queue_of(p.where().prefix, name_);
  if (!p.post([&p, queue, found] { p.spawn(count(p, queue, found)); })) co_return errc::expired;
  auto const seen = co_await answer<result<std::optional<pump::counts>>>::get(found, until);
  if (!seen) co_return no_answer(p.where());
  if (!*seen) co_return seen->get_failure();
  bool const taken = **seen && (**seen)->messages == 0 && (**seen)->consumers > 0;
  co_return taken ? errc::not_owner : errc::expired;
}

spi::task<result<void>> amqp_claim::withdraw(duration hold_off) {
  if (!seat_) co_return result<void>();
  auto& drive = co_await spi::this_driver();
  auto const until = after(drive.now(), patience_);
  bool const held = std::exchange(holds_, false);
  bool lost = false;
  {
    std::lock_guard const hold(seat_->guard);
    lost = held && seat_->now != phase::held;
  }
  if (!lost) ask_to_leave(held ? hold_off : duration::zero());
  if (lost || (held && hold_off > duration::zero())) {
    seat_keep_ = std::exchange(seat_, nullptr);
    if (lost) co_return co_await outcome_of_loss(until);
    co_return result<void>();
  }
  auto waker = drive.get_waker();
  for (;;) {
    {
      std::lock_guard const hold(seat_->guard);
      seat_->waker = waker;
      if (seat_->left) break;
    }
    spi::wait_request sleep{};
    sleep.until = until;
    auto const why = co_await spi::wait_on(sleep);
    if (why != spi::wake::ready) co_return no_answer(from_.to()->where());
  }
  seat_keep_ = std::exchange(seat_, nullptr);
  std::lock_guard const hold(seat_keep_->guard);
  seat_keep_->waker = nullptr;
  if (held && seat_keep_->left_as) co_return *seat_keep_->left_as;
  co_return result<void>();
}

spi::task<spi::wake> amqp_claim::changed(time_point until) {
  auto& drive = co_await spi::this_driver();
  auto waker = drive.get_waker();
  for (;;) {
    if (seat_) {
      std::lock_guard const hold(seat_->guard);
      seat_->waker = waker;
      bool const news = seat_->now == phase::ready || (seat_->now == phase::gone && seat_->left);
      if (news) co_return spi::wake::ready;
    }
    spi::wait_request sleep{};
    sleep.until = until;
    auto const why = co_await spi::wait_on(sleep);
    if (why != spi::wake::ready) co_return why;
  }
}

spi::task<void> backend::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  auto& drive = co_await spi::this_driver();
  std::vector<std::shared_ptr<seat>> seats;
  auto patience = duration::max();
  for (auto const* c : claims) {
    auto const& one = static_cast<amqp_claim const&>(*c);
    seats.push_back(one.place());
    patience = std::min(patience, one.patience());
  }
  auto said = std::make_shared<answer<std::vector<result<duration>>>>();
  auto& p = *pump_;
  bool const asked = p.post([&p, seats, said] { p.spawn(renew_seat_of(p, seats, said)); });
  if (!asked) {
    for (auto& o : out) o = closed_store();
    co_return;
  }
  auto const until = after(drive.now(), patience);
  auto const answers = co_await answer<std::vector<result<duration>>>::get(said, until);
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = answers ? (*answers)[i] : result<duration>(no_answer(p.where()));
}

}  // namespace leasehold::inline v0_1::rabbitmq
