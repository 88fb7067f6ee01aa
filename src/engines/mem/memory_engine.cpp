#include "engines/mem/client.hpp"
#include "model/assert.hpp"
#include "spi/connect.hpp"

#include <leasehold/memory.hpp>

#include <algorithm>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace leasehold::inline v0_1 {
namespace {

struct state {
  std::shared_ptr<mem::virtual_time> time = std::make_shared<mem::virtual_time>();
  std::shared_ptr<mem::engine> engine = std::make_shared<mem::engine>(time);
  std::mutex stores_guard;
  std::vector<store> stores;  // guarded by stores_guard
  std::mutex advancing;       // one `advance` at a time

  std::vector<store> all_stores() {
    std::lock_guard const hold(stores_guard);
    return stores;
  }
};

state& of(std::shared_ptr<void> const& s) noexcept { return *static_cast<state*>(s.get()); }

mem::client& client_of(std::shared_ptr<void> const& s, store const& where) {
  auto* const found = dynamic_cast<mem::client*>(spi::backend_of(where));
  if (found == nullptr || &found->engine() != of(s).engine.get()) {
    throw error(make_error_code(errc::bad_option), diagnostics("mem: the store is no client of this engine"));
  }
  return *found;
}

void change_faults(std::shared_ptr<void> const& s, store const& where,
                   std::function<void(mem::faults&)> const& change) {
  auto& who = client_of(s, where);
  who.engine().set_faults(who, change);
}

}  // namespace

memory_engine::memory_engine() : state_(std::make_shared<state>()) {}
memory_engine::~memory_engine() = default;

store memory_engine::connect(open_options const& options) const {
  auto& s = of(state_);
  auto made = spi::connect({std::make_shared<mem::client>(s.engine), s.time, "mem:"}, options).value();
  std::lock_guard const hold(s.stores_guard);
  s.stores.push_back(made);
  return made;
}

time_point memory_engine::now() const noexcept { return of(state_).time->now(); }

void memory_engine::advance(duration by) const {
  auto& s = of(state_);
  std::lock_guard const alone(s.advancing);
  auto const end = s.time->now() + std::max(by, duration::zero());
  while (true) {
    s.engine->await_rest();
    auto next = end;
    for (auto const& each : s.all_stores()) next = std::min(next, spi::run_due(each));
    s.engine->settle();
    s.engine->await_rest();
    auto const now = s.time->now();
    if (now >= end) return;
    next = std::min(next, s.engine->next_event());
    // Whatever says that it is due now has just had its turn: time goes on.
    s.time->move_to(std::min(end, std::max(next, now + std::chrono::microseconds(1))));
  }
}

void memory_engine::pause(store const& client) const {
  change_faults(state_, client, [](mem::faults& f) { f.paused = true; });
}
void memory_engine::resume(store const& client) const {
  change_faults(state_, client, [](mem::faults& f) { f.paused = false; });
}
void memory_engine::lose_requests(store const& client, std::uint32_t n) const {
  change_faults(state_, client, [n](mem::faults& f) { f.lost_requests = n; });
}
void memory_engine::lose_replies(store const& client, std::uint32_t n) const {
  change_faults(state_, client, [n](mem::faults& f) { f.lost_replies = n; });
}
void memory_engine::fail(store const& client, errc code, std::uint32_t n) const {
  change_faults(state_, client, [&](mem::faults& f) {
    f.failures = n;
    f.failure = make_error_code(code);
  });
}
void memory_engine::forget() const { of(state_).engine->forget(); }
std::uint64_t memory_engine::requests() const noexcept { return of(state_).engine->requests(); }

}  // namespace leasehold::inline v0_1
