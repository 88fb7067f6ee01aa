#include <leasehold/mutex.hpp>

#include "core/acquire.hpp"
#include "core/lease_state.hpp"
#include "core/prepare.hpp"
#include "model/assert.hpp"

#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1 {
namespace detail {

/// INVARIANT: a contender is in exactly one place: spare, in the hands of one thread that is acquiring, or current.
class mutex_state {
 public:
  mutex_state(std::shared_ptr<store_state> where, std::string_view name, acquire_options const& options)
      : where_(std::move(where)),
        full_(std::string(core::full_name(*where_, name))),
        options_(options),
        identity_(options.identity),
        reason_(options.reason) {
    options_.identity = identity_;
    options_.reason = reason_;
    for (auto const& l : options.labels) label_texts_.emplace_back(std::string(l.key), std::string(l.value));
    for (auto const& [key, value] : label_texts_) labels_.push_back({key, value});
    options_.labels = labels_;
    timed_ = core::prepare(*where_, full_, options_).value().ttl.has_value();
  }
  ~mutex_state() { delete spare_.load(); }
  mutex_state(mutex_state const&) = delete;
  mutex_state& operator=(mutex_state const&) = delete;

  /// Success, or why not.
  result<void> lock(std::optional<duration> wait) {
    auto taken = take_contender();
    if (!taken) return taken.get_failure();
    auto mine = std::move(*taken);
    auto held = acquire(mine->state->claim(), wait);
    if (!held) {
      give_back(std::move(mine));
      return held.get_failure();
    }
    mine->state->begin(held->sent_at, held->grant);
    if (where_->is_closed()) return refuse(std::move(mine), core::prepare(*where_, full_, options_).get_failure());
    if (occupied_.exchange(true, std::memory_order_acquire)) return refuse(std::move(mine), occupied());
    LEASEHOLD_ASSERT(!current_);
    current_ = lease_access::make(std::move(mine->state));
    holder_ = std::move(mine);
    return {};
  }

  void unlock() noexcept {
    LEASEHOLD_ASSERT(current_);
    // Before the release: the next holder may be a thread of ours.
    auto mine = std::move(holder_);
    mine->state = lease_access::take(current_);
    occupied_.store(false, std::memory_order_release);
    auto const code = mine->state->release();
    // After an unknown outcome the claim is not to be used again.
    if (!code || code == errc::expired || code == errc::not_owner) give_back(std::move(mine));
  }

  [[nodiscard]] bool is_locked() const noexcept { return static_cast<bool>(current_); }
  lease current_;
  acquire_options const& options() const noexcept { return options_; }

 private:
  /// Kept between two locks, so that locking allocates nothing.
  struct contender {
    lease_ref state;
  };
  using contender_ptr = std::unique_ptr<contender>;

  result<core::hold> acquire(spi::claim& claim, std::optional<duration> wait) {
    bool const is_watched = !where_->audience.empty();
    auto const called_at = is_watched ? where_->now() : time_point{};
    auto const first = core::ask_at_once(*where_->env, claim, wait, timed_);
    auto held = first.plain_hold(*where_->env);
    if (!held) {
      core::acquire_flow flow(*where_, claim, full_, wait);
      flow.begin(first);
      if (!flow.done()) flow.run(where_->closing.get_token());
      if (!flow.granted()) return failure{flow.why(), flow.details()};
      held = flow.hold();
    }
    if (is_watched) core::tell_acquired(*where_, where_->own_name(full_), *held, called_at);
    return *held;
  }

  result<contender_ptr> take_contender() {
    if (where_->is_closed() || where_->is_forked()) return core::prepare(*where_, full_, options_).get_failure();
    if (auto* spare = spare_.exchange(nullptr, std::memory_order_acquire)) return contender_ptr(spare);
    auto const spec = core::prepare(*where_, full_, options_);
    if (!spec) return spec.get_failure();
    auto fresh = std::make_unique<contender>();
    auto claim = where_->backend->make_claim(*spec);
    fresh->state = lease_state::make(where_, std::move(claim), where_->own_name(full_), options_);
    return fresh;
  }

  /// The engine granted it to a second thread because the first one's lease was lost, but `current` is still the first one's.
  static failure occupied() {
    return {make_error_code(errc::unavailable),
            diagnostics("a thread that lost this mutex's lease has not unlocked it yet", "lock again once it has")};
  }

  failure refuse(contender_ptr granted, failure why) noexcept {
    static_cast<void>(granted->state->release());
    give_back(std::move(granted));
    return why;
  }

  void give_back(contender_ptr c) noexcept { delete spare_.exchange(c.release(), std::memory_order_acq_rel); }

  std::shared_ptr<store_state> where_;
  std::string full_;
  acquire_options options_;
  std::string identity_;
  std::string reason_;
  std::vector<std::pair<std::string, std::string>> label_texts_;
  std::vector<label> labels_;
  contender_ptr holder_;
  std::atomic<contender*> spare_{nullptr};
  std::atomic<bool> occupied_{false};  // between a lock and its unlock, whatever becomes of the lease
  bool timed_;                         // its grants have a TTL
};

}  // namespace detail

mutex::mutex(store const& where, std::string_view name, acquire_options const& options) {
  auto const& s = detail::store_access::state(where);
  if (!s) throw error(errc::bad_option, diagnostics("a mutex needs an opened store"));
  state_ = std::make_unique<detail::mutex_state>(s, name, options);
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
