#include "core/keeper.hpp"

#include "core/blocking_driver.hpp"
#include "core/lease_state.hpp"
#include "model/assert.hpp"
#include "model/deadline.hpp"

#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <iterator>
#include <utility>

namespace leasehold::inline v0_1::core {
namespace {

constexpr std::uint32_t nowhere = UINT32_MAX;
constexpr duration batch_window = std::chrono::milliseconds(50);
constexpr duration linger = std::chrono::seconds(1);
constexpr duration busy_claim_retry = std::chrono::milliseconds(2);
/// A place that changes is written into a lease that nobody looked at for seconds; four children halve how often that happens.
constexpr std::size_t arity = 4;

}  // namespace

void keeper::start(std::weak_ptr<detail::store_state> owner, bool is_virtual) {
  owner_ = std::move(owner);
  is_virtual_ = is_virtual;
}

void keeper::place(entry const& e, std::size_t at) noexcept {
  heap_[at] = e;
  e.who->keeper_index = static_cast<std::uint32_t>(at);
}

void keeper::sift_up(std::size_t at) noexcept {
  auto const moving = heap_[at];
  for (std::size_t up = 0; at > 0 && moving.due < heap_[up = (at - 1) / arity].due; at = up) place(heap_[up], at);
  place(moving, at);
}

void keeper::sift_down(std::size_t at) noexcept {
  auto const moving = heap_[at];
  for (;;) {
    auto child = arity * at + 1;
    if (child >= heap_.size()) break;
    for (auto other = child + 1, end = std::min(child + arity, heap_.size()); other < end; ++other) {
      if (heap_[other].due < heap_[child].due) child = other;
    }
    if (moving.due <= heap_[child].due) break;
    place(heap_[child], at);
    at = child;
  }
  place(moving, at);
}

void keeper::reschedule(std::size_t at, time_point due) noexcept {
  bool const earlier = due < heap_[at].due;
  heap_[at].due = due;
  earlier ? sift_up(at) : sift_down(at);
}

void keeper::enrol(detail::lease_state& who, time_point due) {
  std::lock_guard hold(guard_);
  if (stopping_) return;
  if (who.keeper_index == nowhere) {
    heap_.push_back({due, &who});
    sift_up(heap_.size() - 1);
  } else {
    reschedule(who.keeper_index, due);
  }
  if (is_virtual_) return;
  ensure_thread();
  if (due < sleeping_until_) wake_.notify_one();
}

void keeper::dismiss(detail::lease_state& who) noexcept {
  std::lock_guard hold(guard_);
  auto const at = who.keeper_index;
  if (at == nowhere) return;
  LEASEHOLD_ASSERT(heap_[at].who == &who);
  who.keeper_index = nowhere;
  auto const last = heap_.back();
  heap_.pop_back();
  if (last.who == &who) return;
  place(last, at);
  sift_up(at);
  sift_down(last.who->keeper_index);
}

void keeper::sweep() noexcept {
  std::lock_guard hold(guard_);
  sweep_ = true;
  if (is_virtual_ || stopping_) return;
  ensure_thread();
  wake_.notify_one();
}

/// The leases due within the batch window. They stay in the heap, put off until it is known when they are due again.
keeper::lease_list keeper::take_due(time_point now) {
  lease_list out;
  std::lock_guard hold(guard_);
  auto const limit = model::after(now, batch_window);
  while (!heap_.empty() && heap_[0].due <= limit) {
    // A lease that is being destroyed dismisses itself; until then it is only put off.
    if (auto who = heap_[0].who->share_if_alive()) out.push_back(std::move(who));
    reschedule(0, time_point::max());
    if (heap_[0].due <= limit) heap_[0].who->prefetch();
    for (std::size_t next = 1; next <= arity && next < heap_.size(); ++next) __builtin_prefetch(heap_[next].who, 1);
  }
  return out;
}

/// Says when a lease that was taken is due again. REQUIRES: its guard is locked.
void keeper::put_back(detail::lease_state& who) noexcept {
  put_off(who, who.is_held() ? who.next_due() : time_point::max());
}

void keeper::put_off(detail::lease_state& who, time_point due) noexcept {
  std::lock_guard hold(guard_);
  if (who.keeper_index != nowhere) reschedule(who.keeper_index, due);
}

time_point keeper::run_due(detail::store_state& owner) {
  bool look_at_all = false;
  {
    std::lock_guard hold(guard_);
    look_at_all = std::exchange(sweep_, false);
  }
  if (look_at_all) {
    for (auto const& who : owner.leases.all()) {
      if (!who->is_held()) continue;  // one that departs may be locked for as long as its user's event loop pleases
      std::lock_guard hold(who->guard());
      who->check_revoked();
    }
  }
  renew(owner, take_due(owner.now()));
  return next_due();
}

time_point keeper::next_due() {
  std::lock_guard hold(guard_);
  return heap_.empty() ? time_point::max() : heap_[0].due;
}

void keeper::renew(detail::store_state& owner, lease_list const& leases) {
  std::vector<detail::lease_state*> by_request;
  auto now = owner.now();
  for (std::size_t i = 0; i < leases.size(); ++i) {
    auto const& who = leases[i];
    if (i + 8 < leases.size()) __builtin_prefetch(&leases[i + 8]->claim(), 1);
    if (i + 4 < leases.size()) leases[i + 4]->claim().prefetch();
    if (!who->guard().try_lock()) {  // a verb of its user is under way
      put_off(*who, now + busy_claim_retry);
      continue;
    }
    std::unique_lock hold(who->guard(), std::adopt_lock);
    if (who->due(now) == model::keep_action::renew) {
      auto const answer = who->claim().renew_now();
      if (!answer) {
        hold.release();  // kept locked until its request is answered
        by_request.push_back(who.get());
        continue;
      }
      auto const sent_at = std::exchange(now, owner.now());
      static_cast<void>(who->renewal_answered(sent_at, now, *answer));
    }
    put_back(*who);
  }
  if (!by_request.empty()) renew_by_request(owner, by_request);
}

/// While a request for some is under way: tells the losses of others that fall due. Those that want to be renewed are added to
/// `held_up`; returns until when they can wait: nobody waits for longer than its own request may take (RENEW-6).
time_point keeper::attend_to_others(time_point now, lease_list& held_up) {
  auto patience = time_point::max();
  lease_list others = take_due(now);
  auto const wants_renewal = [&](detail::lease_ref const& who) {
    if (!who->guard().try_lock()) {
      put_off(*who, now + busy_claim_retry);
      return false;
    }
    std::lock_guard hold(who->guard(), std::adopt_lock);
    if (who->due(now) != model::keep_action::renew) {
      put_back(*who);
      return false;
    }
    patience = std::min({patience, model::after(now, who->request_limit()), who->next_deadline()});
    return true;
  };
  auto const rest = std::partition(others.begin(), others.end(), wants_renewal);
  std::move(others.begin(), rest, std::back_inserter(held_up));
  return patience;
}

/// One request for all. While it is under way, deadlines of others are still told on time.
void keeper::renew_by_request(detail::store_state& owner, std::span<detail::lease_state* const> leases) {
  std::vector<spi::claim*> claims;
  auto give_up = time_point::max();
  auto const sent_at = owner.now();
  for (auto const& who : leases) {
    claims.push_back(&who->claim());
    give_up = std::min(give_up, model::after(sent_at, who->request_limit()));
  }
  std::vector<result<duration>> answers(leases.size(), result<duration>(errc::outcome_unknown));
  lease_list held_up;
  {
    blocking_driver driver(*owner.env);
    auto t = owner.backend->renew(claims, answers);
    t.start(driver);
    while (!t.done() && owner.now() < give_up) {
      give_up = std::min(give_up, attend_to_others(owner.now(), held_up));
      auto next = std::min(give_up, next_due());
      for (auto const& who : leases) {
        if (who->due(owner.now()) != model::keep_action::lose && who->is_held())
          next = std::min(next, who->next_deadline());
      }
      driver.run_until(t, next);
    }
  }
  for (std::size_t i = 0; i < leases.size(); ++i) {
    static_cast<void>(leases[i]->renewal_answered(sent_at, owner.now(), answers[i]));
    put_back(*leases[i]);
    leases[i]->guard().unlock();
  }
  for (auto const& who : held_up) put_off(*who, owner.now());
}

void keeper::ensure_thread() {
  if (running_ || stopping_) return;
  running_ = true;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread worker(&keeper::run, shared_from_this());
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  thread_ = worker.get_id();
  worker.detach();
}

/// False when the thread should end: told to, or nothing to look after for a while.
bool keeper::wait_for_work(std::unique_lock<std::mutex>& hold) {
  // condition_variable sleeps on MONOTONIC, which stands still in suspend: look at our clock at least this often.
  constexpr duration sleep_max = std::chrono::seconds(1);
  auto const idle_since = clock::now();
  while (!stopping_ && !sweep_) {
    auto const now = clock::now();
    auto const due = heap_.empty() ? time_point::max() : heap_[0].due;
    if (now >= due) return true;
    bool const idle = due == time_point::max();
    if (idle && now - idle_since >= linger) return false;
    sleeping_until_ = due;
    wake_.wait_for(hold, std::min(sleep_max, idle ? linger : due - now));
    sleeping_until_ = time_point::max();
  }
  return !stopping_;
}

void keeper::run(std::shared_ptr<keeper> self) {
  std::unique_lock hold(self->guard_);
  while (self->wait_for_work(hold)) {
    hold.unlock();
    if (auto owner = self->owner_.lock()) self->run_due(*owner);
    hold.lock();
  }
  self->running_ = false;
  self->thread_ = {};
  self->ended_.notify_all();
}

bool keeper::stop(duration at_most) noexcept {
  std::unique_lock hold(guard_);
  stopping_ = true;
  wake_.notify_one();
  if (thread_ == std::this_thread::get_id()) return true;
  return ended_.wait_for(hold, at_most, [this] { return !running_; });
}

}  // namespace leasehold::inline v0_1::core
