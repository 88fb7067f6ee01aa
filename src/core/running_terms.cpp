#include "core/running_terms.hpp"

#include "core/lease_state.hpp"
#include "core/notifier.hpp"

#include <algorithm>
#include <mutex>
#include <vector>

namespace leasehold::inline v0_1::detail {
namespace {

struct list {
  std::mutex guard;
  std::vector<term_entry*> entries;
};

/// Never destroyed: terms may end with the static objects.
list& running() {
  static auto* const all = new list;
  return *all;
}

}  // namespace

term_entry::term_entry(std::string place, lease_state& hold) : place_(std::move(place)), hold_(hold) {
  auto& all = running();
  std::lock_guard const lock(all.guard);
  all.entries.push_back(this);
}

term_entry::~term_entry() {
  auto& all = running();
  std::lock_guard const lock(all.guard);
  std::erase(all.entries, this);
}

void term_entry::settle(std::string const& place) {
  bool any_lost = false;
  {
    auto& all = running();
    std::lock_guard const lock(all.guard);
    // `held` reads the clock: a process that slept through a deadline has announced nothing yet.
    for (auto const* each : all.entries) any_lost = (each->place_ == place && !each->hold_.held()) || any_lost;
  }
  // INVARIANT: without bound. A later term that begins before an earlier one was told is what elections are to prevent.
  constexpr duration without_bound = std::chrono::hours(24 * 365);
  if (any_lost) core::flush_notices(without_bound);
}

}  // namespace leasehold::inline v0_1::detail
