#include "engines/redis/link.hpp"

#include "model/assert.hpp"

#include <algorithm>
#include <random>

namespace leasehold::inline v0_1::redis {
namespace {

constexpr duration silence_max = std::chrono::seconds(5);
/// A leader on somebody else's event loop is relieved after this long without a sign of life.
constexpr duration relief = std::chrono::milliseconds(20);

/// 2 ms, 4 ms, … up to 500 ms, and up to as much again at random, so that clients do not come back all at once.
duration backoff(int failures) {
  thread_local std::minstd_rand random{std::random_device{}()};
  auto const base = std::chrono::milliseconds(2) * (1 << std::clamp(failures, 0, 8));
  return base + std::chrono::microseconds(random() % static_cast<unsigned>(base.count() * 1000));
}

void wake(std::vector<std::shared_ptr<spi::waker>> sleepers) noexcept {
  for (auto const& w : sleepers) w->wake();
}

}  // namespace

/// Keeps a party on the link for as long as its coroutine waits, however it ends.
struct link::attendance {
  link& on;
  std::shared_ptr<party> me;
  bool joined = false;

  attendance(link& l, std::shared_ptr<party> p) : on(l), me(std::move(p)) {}
  attendance(attendance const&) = delete;
  attendance& operator=(attendance const&) = delete;
  ~attendance() {
    std::vector<std::shared_ptr<spi::waker>> woken;
    {
      std::lock_guard const hold(on.guard_);
      on.acting_ = me.get();
      if (joined) on.leave(*me);
      on.acting_ = nullptr;
      woken = on.take_woken();
    }
    wake(std::move(woken));
  }
};

spi::task<spi::wake> link::attend(std::shared_ptr<party> me, time_point until) {
  auto& drive = co_await spi::this_driver();
  me->waker = drive.get_waker();
  me->foreign = !drive.waits_on_futex();
  attendance scope(*this, me);
  for (bool fresh = true;; fresh = false) {
    plan next{};
    std::vector<std::shared_ptr<spi::waker>> woken;
    {
      std::lock_guard const hold(guard_);
      scope.joined = true;
      acting_ = me.get();
      next = take_turn(*me, drive.now(), until, fresh);
      acting_ = nullptr;
      woken = take_woken();
    }
    wake(std::move(woken));
    if (next.done) co_return spi::wake::ready;
    if (drive.now() >= until) co_return spi::wake::timeout;
    auto const why = co_await spi::wait_on(next.sleep);
    if (why == spi::wake::stopped) co_return why;
  }
}

link::plan link::take_turn(party& me, time_point now, time_point until, bool fresh) {
  now_ = now;
  if (fresh) {
    me.place = parties_.size();
    parties_.push_back(&me);
    // A connection that lay idle may have ended unnoticed.
    if (wire_.is_up() && leader_ == nullptr && now - wire_.heard_at() > std::chrono::milliseconds(100)) advance();
    if (!closed_) on_join(me);
    // Whoever is on an event loop waits for one round of it, so that what others begin there meanwhile leaves with it.
    if (me.foreign && wire_.is_up() && !closed_) return {.sleep = {.until = time_point{}}};
  }
  if (wire_.is_up() && !closed_ && !me.done) on_turn();
  if (closed_) me.done = true;
  plan next;
  auto& sleep = next.sleep;
  sleep.until = until;
  next.done = me.done;
  if (me.done) return next;
  if (!may_lead(me)) {
    if (leader_->foreign) sleep.until = std::min(until, now + relief);
    return next;
  }
  leader_ = &me;
  led_at_ = now;
  if (!fresh || !wire_.is_up()) advance();
  next.done = me.done;
  if (me.done) return next;
  auto w = wire_.awaits();
  next.keep = std::move(w.keep);
  sleep.fd = w.fd;
  sleep.events = w.events;
  sleep.until = std::min(until, w.until);
  if (wire_.is_down()) sleep.until = std::min(until, next_try_);
  if (auto const since = owed_since(); since != time_point::max()) {
    sleep.until = std::min(sleep.until, std::max(since, wire_.heard_at()) + silence_max);
  }
  return next;
}

bool link::may_lead(party const& me) const noexcept {
  if (leader_ == nullptr || leader_ == &me) return true;
  return leader_->foreign && (!me.foreign || now_ - led_at_ > relief);
}

/// Everything that can be done without waiting.
void link::advance() {
  if (wire_.is_down()) {
    if (now_ < next_try_) return;
    if (auto ok = wire_.open(now_); !ok) return went_down(ok.get_failure());
  }
  bool const was_up = wire_.is_up();
  auto ok = wire_.advance(now_);
  // Replies that came before the end count.
  if (was_up || wire_.is_up()) {
    if (!was_up) {
      failures_ = 0;
      on_up();
      if (wire_.is_up()) on_turn();
    }
    while (auto r = wire_.receive()) on_reply(std::move(*r));
  }
  if (!ok) return went_down(ok.get_failure());
  if (auto const since = owed_since(); wire_.is_up() && since != time_point::max()) {
    if (now_ - std::max(since, wire_.heard_at()) > silence_max) {
      wire_.close();
      went_down({make_error_code(errc::unavailable),
                 diagnostics(to_.shown + " has been silent for 5 s", "is it stopped, or the network cut?")});
    }
  }
}

void link::went_down(failure const& why) {
  next_try_ = now_ + backoff(failures_++);
  if (leader_ != nullptr && leader_ != acting_) woken_.push_back(leader_->waker);  // what it waits for is gone
  on_down(why);
}

void link::send(std::string_view bytes) {
  if (auto ok = wire_.send(bytes); !ok) went_down(ok.get_failure());
}

void link::finish(party& who) {
  if (std::exchange(who.done, true)) return;
  if (&who != acting_) woken_.push_back(who.waker);
}

void link::finish_all() {
  for (auto* p : parties_) finish(*p);
}

void link::leave(party& me) noexcept {
  on_leave(me);
  auto* const last = parties_.back();
  parties_[me.place] = last;
  last->place = me.place;
  parties_.pop_back();
  if (leader_ != &me) return;
  leader_ = nullptr;
  auto const next = std::ranges::find_if(parties_, [](party const* p) { return !p->done; });
  if (next != parties_.end()) woken_.push_back((*next)->waker);
}

void link::close() noexcept {
  std::vector<std::shared_ptr<spi::waker>> woken;
  {
    std::lock_guard const hold(guard_);
    if (std::exchange(closed_, true)) return;
    for (auto* p : parties_) woken_.push_back(p->waker);
    wire_.close();
    woken = take_woken();
  }
  wake(std::move(woken));
}

}  // namespace leasehold::inline v0_1::redis
