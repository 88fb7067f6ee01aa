#include "engines/mem/engine.hpp"

#include "engines/mem/client.hpp"

#include <algorithm>
#include <atomic>
#include <unordered_set>

namespace leasehold::inline v0_1::mem {
namespace {

bool take_one(std::uint32_t& count) noexcept {
  if (count == 0) return false;
  --count;
  return true;
}

failure fault(std::error_code code, char const* what) {
  return {code, diagnostics(what, "this is a test's own doing")};
}

}  // namespace

std::optional<failure> engine::keep_from_arriving(client& from) {
  auto& f = from.faults_;
  if (from.closed_) return failure{errc::cancelled, diagnostics("mem: the store was closed")};
  if (f.paused) return fault(make_error_code(errc::unavailable), "mem: the client is paused");
  if (take_one(f.lost_requests)) return fault(make_error_code(errc::unavailable), "mem: the request was lost");
  if (take_one(f.failures)) return fault(f.failure, "mem: the request failed");
  ++requests_;
  return std::nullopt;
}

std::optional<failure> engine::lose_reply(client& from) {
  if (!take_one(from.faults_.lost_replies)) return std::nullopt;
  return fault(make_error_code(errc::outcome_unknown), "mem: the reply was lost");
}

void engine::wake_admissible(std::string_view name, std::vector<std::shared_ptr<spi::waker>>& woken) {
  for (auto const owner : table_.admissible(now(), name)) {
    auto const at = claims_.find(owner);
    if (at == claims_.end() || at->second->from_->faults_.paused) continue;
    auto& w = at->second->watch_;
    if (w.waker && !std::exchange(w.woken, true)) woken.push_back(w.waker);
  }
}

template <class Which>
void engine::wake_if(Which const& which) {
  std::vector<std::shared_ptr<spi::waker>> woken;
  {
    std::lock_guard const hold(guard_);
    for (auto const& [owner, who] : claims_) {
      auto& w = who->watch_;
      if (w.waker && !w.woken && which(*who)) {
        w.woken = true;
        woken.push_back(w.waker);
      }
    }
  }
  for (auto const& w : woken) w->wake();
}

owner_id engine::new_owner() noexcept {
  static std::atomic<owner_id> last{
      0};  // one for all engines of the process: a ticket of another engine fits nothing here
  return ++last;
}

void engine::add(mem_claim& who) {
  std::lock_guard const hold(guard_);
  claims_.emplace(who.asked_.owner, &who);
}

void engine::remove(mem_claim& who) noexcept {
  std::lock_guard const hold(guard_);
  claims_.erase(who.asked_.owner);
}

void engine::change_owner(mem_claim& who, owner_id to) {
  std::lock_guard const hold(guard_);
  auto node = claims_.extract(who.asked_.owner);
  who.asked_.owner = to;
  node.key() = to;
  claims_.insert(std::move(node));
}

void engine::revoke(owner_id evicted) {
  std::shared_ptr<client> of;
  {
    std::lock_guard const hold(guard_);
    auto const at = claims_.find(evicted);
    if (at == claims_.end() || at->second->from_->faults_.paused) return;
    at->second->revoked_.store(true, std::memory_order_release);
    of = at->second->from_;
  }
  of->tell_revoked();
}

time_point engine::watch(mem_claim& who, std::shared_ptr<spi::waker> waker, time_point until) {
  std::lock_guard const hold(guard_);
  auto const at = now();
  auto const next = table_.admissible(at, who.name_);
  bool const look_now = !who.from_->faults_.paused && std::ranges::find(next, who.asked_.owner) != next.end();
  if (look_now || who.from_->closed_) return at;
  auto const look = std::min(until, table_.next_change(who.name_));
  who.watch_ = {std::move(waker), look, false};
  rest_.notify_all();
  return look;
}

void engine::unwatch(mem_claim& who) noexcept {
  std::lock_guard const hold(guard_);
  who.watch_ = {};
  rest_.notify_all();
}

void engine::set_faults(client& of, std::function<void(faults&)> const& change) {
  {
    std::lock_guard const hold(guard_);
    bool const was_paused = of.faults_.paused;
    change(of.faults_);
    if (!was_paused || of.faults_.paused) return;
  }
  wake_if([&](mem_claim const& c) { return c.from_.get() == &of; });  // what it missed while it was cut off
}

void engine::close(client& who) noexcept {
  {
    std::lock_guard const hold(guard_);
    who.closed_ = true;
  }
  wake_if([&](mem_claim const& c) { return c.from_.get() == &who; });
}

void engine::forget() {
  {
    std::lock_guard const hold(guard_);
    table_.forget();
  }
  wake_if([](mem_claim const& c) { return !c.from_->faults_.paused; });
}

std::uint64_t engine::requests() const noexcept {
  std::lock_guard const hold(guard_);
  return requests_;
}

void engine::settle() {
  std::vector<std::shared_ptr<spi::waker>> woken;
  {
    std::lock_guard const hold(guard_);
    table_.settle(now());
    for (auto const& name : table_.contended()) wake_admissible(name, woken);
  }
  for (auto const& w : woken) w->wake();
  wake_if([at = now()](mem_claim const& c) { return c.watch_.until <= at; });
}

time_point engine::next_event() {
  std::lock_guard const hold(guard_);
  auto next = table_.next_change();
  for (auto const& [owner, who] : claims_) {
    if (who->watch_.waker) next = std::min(next, who->watch_.until);
  }
  return next;
}

// A thread is at rest when its waker lies in a watch that nobody has called yet.
bool engine::is_at_rest() const {
  std::unordered_set<spi::waker const*> resting;
  for (auto const& [owner, who] : claims_) {
    if (!who->watch_.woken) resting.insert(who->watch_.waker.get());
  }
  return std::ranges::all_of(time_->sleepers(), [&](auto const& s) { return resting.contains(s.get()); });
}

void engine::await_rest() {
  std::unique_lock hold(guard_);
  auto const give_up = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  while (!is_at_rest() && std::chrono::steady_clock::now() < give_up) {
    rest_.wait_for(hold, std::chrono::milliseconds(1));  // a sleeper that ended says nothing
  }
}

}  // namespace leasehold::inline v0_1::mem
