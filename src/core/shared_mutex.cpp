#include <leasehold/shared_mutex.hpp>

#include "core/joint_leases.hpp"
#include "model/assert.hpp"

#include <algorithm>

namespace leasehold::inline v0_1 {
namespace detail {
namespace {

acquire_options as(leasehold::mode mode, acquire_options options) {
  options.mode = mode;
  return options;
}

}  // namespace

class shared_mutex_state {
 public:
  shared_mutex_state(store const& where, std::string_view name, acquire_options const& options)
      : readers(core::state_of(where, "a shared_mutex"), name, as(mode::reader(), options)),
        writer(where, name, as(mode::exclusive(), options)) {}

  /// A writer that is a reader would wait for itself.
  void check_upgrade() {
    if (readers.own() == nullptr) return;
    throw error(errc::unsupported, diagnostics("this thread holds it shared: there is no upgrade",
                                               "give the shared lock back, then lock, and look at the data again"));
  }

  core::joint_leases readers;
  mutex writer;
};

}  // namespace detail

shared_mutex::shared_mutex(store const& where, std::string_view name, acquire_options const& options)
    : state_(std::make_unique<detail::shared_mutex_state>(where, name, options)) {}

shared_mutex::~shared_mutex() = default;

void shared_mutex::lock() {
  state_->check_upgrade();
  state_->writer.lock();
}

bool shared_mutex::try_lock() { return try_lock_within(duration::zero()); }

bool shared_mutex::try_lock_within(duration wait) {
  state_->check_upgrade();
  return state_->writer.try_lock_for(wait);
}

void shared_mutex::unlock() noexcept { state_->writer.unlock(); }
lease& shared_mutex::current() noexcept { return state_->writer.current(); }

void shared_mutex::lock_shared() { state_->readers.lock(state_->readers.options().wait).value(); }
bool shared_mutex::try_lock_shared() { return try_lock_shared_within(duration::zero()); }

bool shared_mutex::try_lock_shared_within(duration wait) {
  auto const r = state_->readers.lock(std::max(wait, duration::zero()));
  if (!r && r.error() != errc::timed_out) r.get_failure().raise();
  return r.has_value();
}

void shared_mutex::unlock_shared() noexcept { state_->readers.unlock(); }

lease& shared_mutex::current_shared() noexcept {
  auto* const own = state_->readers.own();
  LEASEHOLD_ASSERT(own != nullptr);
  return *own;
}

}  // namespace leasehold::inline v0_1
