#include <leasehold/mutex.hpp>

#include "core/contest.hpp"
#include "model/assert.hpp"

#include <atomic>
#include <utility>

namespace leasehold::inline v0_1 {
namespace detail {

/// INVARIANT: a contender is in exactly one place: spare, in the hands of one thread that is acquiring, or current.
class mutex_state {
 public:
  mutex_state(std::shared_ptr<store_state> where, std::string_view name, acquire_options const& options)
      : contest_(std::move(where), name, options) {}
  ~mutex_state() { give_back(nullptr); }
  mutex_state(mutex_state const&) = delete;
  mutex_state& operator=(mutex_state const&) = delete;

  /// Success, or why not.
  result<void> lock(std::optional<duration> wait) {
    lease_ref mine(spare_.exchange(nullptr, std::memory_order_acquire));
    if (!mine) {
      auto fresh = contest_.enter();
      if (!fresh) return fresh.get_failure();
      mine = std::move(*fresh);
    }
    if (auto won = contest_.win(*mine, wait); !won) {
      give_back(std::move(mine));
      return won;
    }
    if (occupied_.exchange(true, std::memory_order_acquire)) return refuse(std::move(mine));
    LEASEHOLD_ASSERT(!current_);
    current_ = lease_access::make(std::move(mine));
    return {};
  }

  void unlock() noexcept {
    LEASEHOLD_ASSERT(current_);
    // Before the release: the next holder may be a thread of ours.
    auto mine = lease_access::take(current_);
    occupied_.store(false, std::memory_order_release);
    if (core::contest::leave(*mine)) give_back(std::move(mine));
  }

  [[nodiscard]] bool is_locked() const noexcept { return static_cast<bool>(current_); }
  lease current_;
  acquire_options const& options() const noexcept { return contest_.options(); }

 private:
  /// The engine granted it to a second thread because the first one's lease was lost, but `current` is still the first one's.
  failure refuse(lease_ref granted) noexcept {
    if (core::contest::leave(*granted)) give_back(std::move(granted));
    return {make_error_code(errc::unavailable),
            diagnostics("a thread that lost this mutex's lease has not unlocked it yet", "lock again once it has")};
  }

  void give_back(lease_ref one) noexcept {
    lease_ref const other(spare_.exchange(one.release(), std::memory_order_acq_rel));
  }

  core::contest contest_;
  std::atomic<lease_state*> spare_{nullptr};
  std::atomic<bool> occupied_{false};  // between a lock and its unlock, whatever becomes of the lease
};

}  // namespace detail

mutex::mutex(store const& where, std::string_view name, acquire_options const& options) {
  state_ = std::make_unique<detail::mutex_state>(core::state_of(where, "a mutex"), name, options);
}

mutex::~mutex() {
  if (state_->is_locked()) state_->unlock();
}

void mutex::lock() { state_->lock(state_->options().wait).value(); }
bool mutex::try_lock() { return try_lock_within(duration::zero()); }
void mutex::unlock() noexcept { state_->unlock(); }
lease& mutex::current() noexcept { return state_->current_; }
lease const& mutex::current() const noexcept { return state_->current_; }

bool mutex::try_lock_within(duration wait) {
  auto const r = state_->lock(std::max(wait, duration::zero()));
  if (!r && r.error() != errc::timed_out) r.get_failure().raise();
  return r.has_value();
}

}  // namespace leasehold::inline v0_1
