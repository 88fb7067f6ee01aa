#include <leasehold/semaphore.hpp>

#include "core/joint_leases.hpp"
#include "model/assert.hpp"

#include <algorithm>

namespace leasehold::inline v0_1 {
namespace detail {
namespace {

acquire_options as_permit(std::uint32_t of, acquire_options options) {
  options.mode = mode::semaphore(of);
  if (options.mode.is_semaphore()) return options;
  throw error(errc::bad_option, diagnostics("a semaphore of " + std::to_string(of) + " permits",
                                            "ask for 1 to " + std::to_string(mode::unbounded - 1)));
}

}  // namespace

class semaphore_state {
 public:
  semaphore_state(store const& where, std::string_view name, std::uint32_t of, acquire_options const& options)
      : permits(core::state_of(where, "a semaphore"), name, as_permit(of, options)) {}
  core::joint_leases permits;
};

}  // namespace detail

semaphore::semaphore(store const& where, std::string_view name, std::uint32_t permits, acquire_options const& options)
    : state_(std::make_unique<detail::semaphore_state>(where, name, permits, options)) {}

semaphore::~semaphore() = default;

std::uint32_t semaphore::max() const noexcept { return state_->permits.options().mode.capacity; }

void semaphore::acquire() { state_->permits.lock(state_->permits.options().wait).value(); }
bool semaphore::try_acquire() { return try_acquire_within(duration::zero()); }

bool semaphore::try_acquire_within(duration wait) {
  auto const r = state_->permits.lock(std::max(wait, duration::zero()));
  if (!r && r.error() != errc::timed_out) r.get_failure().raise();
  return r.has_value();
}

void semaphore::release(std::ptrdiff_t count) noexcept {
  for (; count > 0; --count) state_->permits.unlock();
}

lease& semaphore::current() noexcept {
  auto* const own = state_->permits.own();
  LEASEHOLD_ASSERT(own != nullptr);
  return *own;
}

}  // namespace leasehold::inline v0_1
