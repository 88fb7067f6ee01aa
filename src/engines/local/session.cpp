#include "engines/local/session.hpp"

#include "engines/local/beacon.hpp"
#include "engines/local/recovery.hpp"

#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#include <map>
#include <new>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1::local {

namespace {

/// The sessions of this process. Never destroyed: a static store may outlive every other static object.
struct directory {
  std::mutex guard;
  std::map<std::pair<dev_t, ino_t>, std::weak_ptr<session>> sessions;
  std::vector<std::shared_ptr<session>> pinned;
};

directory& all_sessions() {
  static directory* const all = [] {
    auto* d = new directory;
    // A child forked while another thread opens a store must be able to open one, too.
    ::pthread_atfork([] { all_sessions().guard.lock(); }, [] { all_sessions().guard.unlock(); },
                     [] { all_sessions().guard.unlock(); });
    return d;
  }();
  return *all;
}

std::atomic<u32>* make_cookie() noexcept {
  void* const page = ::mmap(nullptr, geometry::page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  LEASEHOLD_ASSERT(page != MAP_FAILED);
  LEASEHOLD_ASSERT(::madvise(page, geometry::page, MADV_WIPEONFORK) == 0);
  constexpr u32 cookie_opened = 1;
  return new (page) std::atomic<u32>(cookie_opened);
}

}  // namespace

void ring(process& who) noexcept {
  who.mailbox.fetch_add(1, std::memory_order_acq_rel);
  crash_point();
  futex_wake(who.mailbox, INT_MAX);
}

result<std::shared_ptr<session>> session::open(location const& where) {
  auto file = open_file(where);
  if (!file) return file.get_failure();
  auto& all = all_sessions();
  std::scoped_lock guard(all.guard);
  auto& known = all.sessions[{file->device(), file->inode()}];
  if (auto there = known.lock(); there && !there->is_forked() && !there->is_disowned()) return there;
  auto fresh = std::make_shared<session>(std::move(*file));
  known = fresh;
  return fresh;
}

session::session(mapped_file file) : file_(std::move(file)), cookie_(make_cookie()) {}

session::~session() {
  if (is_live()) leave();
  if (is_forked()) static_cast<void>(beacon_.release());  // its thread is the parent's
  ::munmap(cookie_, geometry::page);
}

void session::pin() noexcept {
  auto& all = all_sessions();
  std::scoped_lock guard(all.guard);
  for (auto const& [key, known] : all.sessions) {
    if (auto there = known.lock(); there.get() == this) all.pinned.push_back(std::move(there));
  }
}

result<void> session::enter() {
  std::scoped_lock guard(entering_);
  if (is_live()) return {};
  if (is_forked()) {
    return file_failure(errc::cancelled, file_.path(), "was opened before a fork; this process is the child",
                        "open the store anew after fork");
  }
  if (is_disowned()) {
    return file_failure(errc::cancelled, file_.path(),
                        "counts this process as dead: it was resumed from an image, or in another boot",
                        "open the store anew");
  }
  auto const self = own_identity();
  if (!self) return file_failure(errc::unsupported, file_.path(), "/proc cannot be read", "mount /proc");
  file_lock lock(file_);
  if (auto locked = lock.lock(); !locked) return locked;
  if (auto same = check_namespace(self->pid_namespace); !same) return same;
  auto const slot = pick_slot();
  if (!slot) return slot.get_failure();
  auto& p = mem().process(*slot);
  bool const was_dead = get(p.state) == process_state::dead;
  put(p.pid, self->pid);
  put(p.start_time, self->start_time);
  put(p.pid_namespace, self->pid_namespace);
  put(p.uid, static_cast<u32>(::geteuid()));
  beacon_ = std::make_unique<beacon_thread>(*this, *slot);
  if (auto lit = beacon_->light(); !lit) return lit;
  slot_ = *slot;
  lit_ = get(p.beacon);
  put(p.state, process_state::live);
  // INVARIANT: nothing of ours is in the file yet, so whatever names this slot now is the dead predecessor's.
  if (was_dead) {
    if (auto swept = sweep_dead(*this); !swept) {
      put(p.state, process_state::dead);
      beacon_.reset();
      return swept;
    }
  }
  cookie_->store(cookie_live, std::memory_order_release);
  return {};
}

void session::leave() noexcept {
  file_lock lock(file_);
  bool const locked = lock.lock().has_value();
  beacon_.reset();
  // Without the lock the slot stays behind, live without a beacon, and the next process that enters clears it.
  if (locked) put(mem().process(slot_).state, process_state::free);
}

void session::watch(mailbox_wait& wait) {
  box_.add(wait);
  ring(mem().process(slot_));
}

/// Whether another process is alive can be told only within one PID namespace.
result<void> session::check_namespace(u64 own) const {
  auto& head = mem().header();
  if (get(head.pid_namespace) == own) return {};
  for (u32 slot = 0; slot < mem().used_processes(); ++slot) {
    auto& p = mem().process(slot);
    if (get(p.state) != process_state::live) continue;
    u32 const beacon = get(p.beacon);
    if (beacon != 0 && (beacon & FUTEX_OWNER_DIED) == 0) {
      return file_failure(
          errc::misconfigured, file_.path(),
          "is used by processes of another PID namespace (pid " + std::to_string(get(p.pid)) + " there)",
          "give each container a store of its own, or share the PID "
          "namespace, or use a networked engine");
    }
    put(p.state, process_state::dead);
  }
  put(head.pid_namespace, own);
  return {};
}

/// A slot that is free or dead. REQUIRES: the file lock.
result<u16> session::pick_slot() const {
  u32 const used = mem().used_processes();
  std::optional<u16> dead;
  for (u32 slot = 0; slot < used; ++slot) {
    auto& p = mem().process(slot);
    if (get(p.state) == process_state::live && get(p.beacon) == 0) put(p.state, process_state::dead);
    if (get(p.state) == process_state::free) return static_cast<u16>(slot);
    if (!dead && fate_of(static_cast<u16>(slot)) == fate::gone) dead = static_cast<u16>(slot);
  }
  if (used < process_count) {
    put(mem().header().process_high, used + 1);
    return static_cast<u16>(used);
  }
  if (dead) return *dead;
  return file_failure(errc::unavailable, file_.path(),
                      "is in use by " + std::to_string(process_count) + " processes, its limit",
                      "end some of them, or use more than one store");
}

fate session::fate_of(u16 slot) const noexcept {
  if (slot == nobody) return fate::alive;
  if (slot >= process_count) return fate::gone;
  auto& p = mem().process(slot);
  auto state = get(p.state);
  if (state != process_state::live) return fate::gone;
  if ((get(p.beacon) & FUTEX_OWNER_DIED) == 0) return fate::alive;
  if (may_still_run(get(p.pid), get(p.start_time), get(p.beacon_tid))) return fate::dying;
  // The kernel wakes one sleeper of the beacon; all of them want to know.
  if (swap(p.state, state, process_state::dead)) futex_wake(p.beacon, INT_MAX);
  return fate::gone;
}

void session::expect_end_of(u16 slot) const noexcept {
  auto& p = mem().process(slot);
  u32 const pid = get(p.pid);
  if (expected_to_end_.at(slot % expected_to_end_.size()).exchange(pid, std::memory_order_relaxed) == pid) return;
  static_cast<void>(may_still_run(pid, get(p.start_time), get(p.beacon_tid)));
}

fate session::await_fate_of(u16 slot, duration at_most) const noexcept {
  fate is = fate_of(slot);
  for (instant const end = now() + at_most.count(); is == fate::dying && now() < end; is = fate_of(slot)) {
    static_cast<void>(has_exited(get(mem().process(slot).pid), std::chrono::microseconds(20)));
  }
  return is;
}

}  // namespace leasehold::inline v0_1::local
