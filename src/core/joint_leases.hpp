// Decides how one object of a program keeps several leases of the same name, and whose is whose: a reader's or a permit's thread.
#pragma once

#include "core/contest.hpp"
#include "core/spin_lock.hpp"

#include <list>
#include <mutex>
#include <thread>

namespace leasehold::inline v0_1::core {

/// Thread-safe. INVARIANT: every place is in `used_` from its grant to its end, else in `spare_` or in the hands of one thread.
class joint_leases {
 public:
  joint_leases(std::shared_ptr<detail::store_state> where, std::string_view name, acquire_options const& options)
      : contest_(std::move(where), name, options) {}
  joint_leases(joint_leases const&) = delete;
  joint_leases& operator=(joint_leases const&) = delete;

  [[nodiscard]] result<void> lock(std::optional<duration> wait);
  /// Ends the calling thread's last lease, or the oldest of all if it has none. REQUIRES: there is one.
  void unlock() noexcept;
  /// The calling thread's last lease; null if it has none. Valid until that is unlocked.
  [[nodiscard]] lease* own() noexcept;
  [[nodiscard]] acquire_options const& options() const noexcept { return contest_.options(); }

 private:
  struct place {
    std::thread::id whose;
    detail::lease_ref contender;  ///< empty while `held` has it
    lease held;
  };
  using places = std::list<place>;

  [[nodiscard]] result<places> take_place();
  [[nodiscard]] places::iterator find_own() noexcept;

  contest contest_;
  spin_lock guard_;
  places used_;
  places spare_;
};

}  // namespace leasehold::inline v0_1::core
