// Decides how this process takes part in one store file: its slot, its beacon, its mailbox. One session per process and file.
//
// INVARIANT 1: a slot is live only while a parked thread of its process holds the slot's beacon on its robust list, so the kernel
//   marks the beacon, and wakes a waiter, however the process ends.
// INVARIANT 2: nothing in the file names a slot before the slot is live, nor after it was left cleanly.
#pragma once

#include "engines/local/file.hpp"
#include "engines/local/mailbox.hpp"

#include <memory>
#include <mutex>
#include <optional>

namespace leasehold::inline v0_1::local {

enum class fate { alive, dying, gone };

class beacon_thread;

/// Thread-safe.
class session {
 public:
  /// The session of this process for the file at `where`; opens it if there is none.
  [[nodiscard]] static result<std::shared_ptr<session>> open(location const& where);
  explicit session(mapped_file file);
  session(session const&) = delete;
  ~session();

  [[nodiscard]] view const& mem() const noexcept { return file_.mem(); }
  [[nodiscard]] mapped_file const& file() const noexcept { return file_; }

  /// Entered, and neither a forked child's copy nor disowned. Two loads.
  [[nodiscard]] bool is_live() const noexcept { return is_entered() && get(beacon_of(slot_)) == lit_; }
  [[nodiscard]] bool is_forked() const noexcept { return cookie_->load(std::memory_order_acquire) == 0; }
  /// This process is the image of one whose death, or whose boot's end, has been noticed: nothing here is its own any more.
  [[nodiscard]] bool is_disowned() const noexcept { return is_entered() && !is_live(); }
  /// Makes this process known to the store. REQUIRED before any grant, wait or latch. Errors: errc::unavailable (no slot, a
  /// stopped process in the way), errc::misconfigured (another PID namespace), errc::cancelled (in a forked child, or disowned).
  [[nodiscard]] result<void> enter();
  /// REQUIRES: entered.
  [[nodiscard]] u16 slot() const noexcept { return slot_; }

  /// What has become of a process; looks into /proc only when its beacon says that it ended.
  [[nodiscard]] fate fate_of(u16 slot) const noexcept;
  /// As `fate_of`, but waits for a process that has been killed and may still be running its last instructions, up to `at_most`.
  [[nodiscard]] fate await_fate_of(u16 slot, duration at_most) const noexcept;
  /// To be called before sleeping for a holder: the first look into /proc at a process takes longest, and is taken now.
  void expect_end_of(u16 slot) const noexcept;
  [[nodiscard]] std::atomic<u32>& beacon_of(u16 slot) const noexcept { return mem().process(slot).beacon; }

  [[nodiscard]] mailbox& box() noexcept { return box_; }
  /// Looks after `wait` until `box().remove(wait)`. REQUIRES: entered.
  void watch(mailbox_wait& wait);
  /// Pretends, for tests, that the kernel lacks futex_waitv.
  void do_without_waitv() noexcept { without_waitv_.store(true); }
  [[nodiscard]] bool is_without_waitv() const noexcept { return without_waitv_.load(std::memory_order_relaxed); }

  /// Something held was abandoned without a release: it stays held until the process ends, so the session must, too.
  void pin() noexcept;

  static constexpr u32 cookie_live = 2;

 private:
  friend class beacon_thread;
  [[nodiscard]] bool is_entered() const noexcept { return cookie_->load(std::memory_order_acquire) == cookie_live; }
  [[nodiscard]] result<void> check_namespace(u64 own) const;
  [[nodiscard]] result<u16> pick_slot() const;
  void leave() noexcept;

  mapped_file file_;
  std::atomic<u32>* cookie_;  ///< on a page that reads as zero in a forked child
  mailbox box_;
  std::atomic<bool> without_waitv_{false};
  std::mutex entering_;
  std::unique_ptr<beacon_thread> beacon_;
  mutable std::array<std::atomic<u32>, 64> expected_to_end_{};  ///< pids, by slot
  u16 slot_ = nobody;
  u32 lit_ = 0;  ///< our beacon while it is ours
};

/// Rings a process's mailbox.
void ring(process& who) noexcept;

/// The identity of this process: its start time in clock ticks, and its PID namespace.
struct process_identity {
  u32 pid = 0;
  u64 start_time = 0;
  u64 pid_namespace = 0;
};
[[nodiscard]] std::optional<process_identity> own_identity() noexcept;
/// Whether the whole process has exited; waits for that up to `at_most` (less than a second). A pid that was reused counts as not.
[[nodiscard]] bool has_exited(u32 pid, duration at_most) noexcept;
/// Whether some thread of a process that began to end may execute another instruction of the program.
[[nodiscard]] bool may_still_run(u32 pid, u64 start_time, u32 beacon_tid) noexcept;

}  // namespace leasehold::inline v0_1::local
