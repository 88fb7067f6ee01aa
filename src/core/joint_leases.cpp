#include "core/joint_leases.hpp"

#include "model/assert.hpp"

#include <algorithm>
#include <iterator>

namespace leasehold::inline v0_1::core {

/// One place, with a contender.
result<joint_leases::places> joint_leases::take_place() {
  places one;
  {
    std::lock_guard const hold(guard_);
    if (!spare_.empty()) one.splice(one.begin(), spare_, spare_.begin());
  }
  if (one.empty()) one.emplace_back();
  if (!one.front().contender) {
    auto fresh = contest_.enter();
    if (!fresh) return fresh.get_failure();
    one.front().contender = std::move(*fresh);
  }
  return one;
}

result<void> joint_leases::lock(std::optional<duration> wait) {
  auto one = take_place();
  if (!one) return one.get_failure();
  auto& mine = one->front();
  auto won = contest_.win(*mine.contender, wait);
  if (won) {
    mine.whose = std::this_thread::get_id();
    mine.held = detail::lease_access::make(std::move(mine.contender));
  }
  std::lock_guard const hold(guard_);
  auto& to = won ? used_ : spare_;
  to.splice(to.end(), *one);
  return won;
}

joint_leases::places::iterator joint_leases::find_own() noexcept {
  auto const is_own = [me = std::this_thread::get_id()](place const& p) { return p.whose == me; };
  auto const last = std::find_if(used_.rbegin(), used_.rend(), is_own);
  return last == used_.rend() ? used_.end() : std::prev(last.base());
}

void joint_leases::unlock() noexcept {
  places one;
  {
    std::lock_guard const hold(guard_);
    LEASEHOLD_ASSERT(!used_.empty());
    auto const own = find_own();
    one.splice(one.begin(), used_, own != used_.end() ? own : used_.begin());
  }
  auto& mine = one.front();
  mine.contender = detail::lease_access::take(mine.held);
  if (!contest::leave(*mine.contender)) mine.contender.reset();
  std::lock_guard const hold(guard_);
  spare_.splice(spare_.end(), one);
}

lease* joint_leases::own() noexcept {
  std::lock_guard const hold(guard_);
  auto const at = find_own();
  return at != used_.end() ? &at->held : nullptr;
}

}  // namespace leasehold::inline v0_1::core
