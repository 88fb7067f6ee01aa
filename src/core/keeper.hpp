// Decides which lease is looked after when: renewals batched, deadlines on time, no thread while nothing is due.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/lease.hpp>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

namespace leasehold::inline v0_1::detail {
class store_state;
}  // namespace leasehold::inline v0_1::detail

namespace leasehold::inline v0_1::core {

/// Thread-safe. INVARIANT: the heap holds every enrolled lease once; `lease_state::keeper_index` is its place in it.
class keeper : public std::enable_shared_from_this<keeper> {
 public:
  keeper() = default;
  keeper(keeper const&) = delete;
  keeper& operator=(keeper const&) = delete;

  void start(std::weak_ptr<detail::store_state> owner, bool is_virtual);
  /// Looks after `who` from `due` on. Starts the thread if there is none; wakes it only if `due` comes before all else.
  void enrol(detail::lease_state& who, time_point due);
  void dismiss(detail::lease_state& who) noexcept;
  /// Some claim says that it is revoked: look at all of them.
  void sweep() noexcept;
  /// Returns once the thread has ended, or after `at_most`, or at once on the thread itself.
  bool stop(duration at_most) noexcept;
  /// Carries out what is due on `owner`, on this thread; returns when the next thing is.
  time_point run_due(detail::store_state& owner);

 private:
  struct entry {
    time_point due;
    detail::lease_state* who;
  };

  using lease_list = std::vector<detail::lease_ref>;

  [[nodiscard]] lease_list take_due(time_point now);
  void put_back(detail::lease_state& who) noexcept;
  void put_off(detail::lease_state& who, time_point due) noexcept;
  void renew(detail::store_state& owner, lease_list const& leases);
  void renew_by_request(detail::store_state& owner, std::span<detail::lease_state* const> leases);
  [[nodiscard]] time_point attend_to_others(time_point now, lease_list& held_up);
  [[nodiscard]] time_point next_due();
  [[nodiscard]] bool wait_for_work(std::unique_lock<std::mutex>& hold);

  // Under guard_:
  void place(entry const& e, std::size_t at) noexcept;
  void sift_up(std::size_t at) noexcept;
  void sift_down(std::size_t at) noexcept;
  void reschedule(std::size_t at, time_point due) noexcept;
  void ensure_thread();
  static void run(std::shared_ptr<keeper> self);

  std::mutex guard_;
  std::condition_variable wake_;
  std::vector<entry> heap_;
  std::weak_ptr<detail::store_state> owner_;
  time_point sleeping_until_ = time_point::max();
  bool is_virtual_ = false;
  bool running_ = false;
  bool sweep_ = false;
  bool stopping_ = false;
  std::thread::id thread_;
  std::condition_variable ended_;
};

}  // namespace leasehold::inline v0_1::core
