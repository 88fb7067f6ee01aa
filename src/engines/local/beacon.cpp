#include "engines/local/beacon.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

namespace leasehold::inline v0_1::local {

namespace {

constexpr std::size_t stack_bytes = std::size_t{256} * 1024;
constexpr std::size_t words_max = FUTEX_WAITV_MAX - 1;

::futex_waitv as_waitv(std::atomic<u32> const& word, u32 expected) noexcept {
  ::futex_waitv w{};
  w.val = expected;
  w.uaddr = reinterpret_cast<std::uintptr_t>(&word);
  w.flags = FUTEX_32;
  return w;
}

}  // namespace

beacon_thread::beacon_thread(session& s, u16 slot) noexcept : session_(s), process_(s.mem().process(slot)) {}

beacon_thread::~beacon_thread() {
  if (!running_) return;
  stop_.store(true);
  ring(process_);
  ::pthread_join(thread_, nullptr);
}

result<void> beacon_thread::light() {
  revoked_seen_ = get(process_.revoked);
  // A signal handler of the program's must not run here: it might end this thread, or block it.
  sigset_t all;
  sigset_t before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, stack_bytes);
  int const error = ::pthread_create(&thread_, &attributes, &run, this);
  ::pthread_attr_destroy(&attributes);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0) return system_failure(error, session_.file().path(), "no thread to hold this process's beacon");
  running_ = true;
  lit_.wait(0);
  if (lit_.load() == 1) return {};
  return file_failure(errc::unsupported, session_.file().path(),
                      "this kernel has no robust futexes, so it would not tell when "
                      "a holder dies",
                      "use a networked engine here");
}

namespace {

/// With a short slice a thread's turn comes early (sched(7), EEVDF since Linux 6.12; older kernels ignore it): after a kill the beacon
/// goes out first, and who waits for it gets ready while the siblings stop.
void ask_for_short_slices() noexcept {
  struct {  // struct sched_attr of linux/sched/types.h, first version
    u32 size = 48;
    u32 policy = 0;
    u64 flags = 0;
    std::int32_t nice = 0;
    u32 priority = 0;
    u64 runtime = 0;
    u64 deadline = 0;
    u64 period = 0;
  } attributes;
  if (::syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER)
    return;
  attributes.runtime = 100'000;  // ns, the least
  static_cast<void>(::syscall(SYS_sched_setattr, 0, &attributes, 0));
}

}  // namespace

void* beacon_thread::run(void* self) noexcept {
  static_cast<beacon_thread*>(self)->work();
  return nullptr;
}

void beacon_thread::work() noexcept {
  ::prctl(PR_SET_NAME, "leasehold-local");
  ask_for_short_slices();
  // This thread never locks a robust pthread mutex, so the C library's own list, replaced here, stays empty for good.
  entry_.next = &robust_.list;
  robust_.list.next = &entry_;
  robust_.futex_offset = reinterpret_cast<char*>(&process_.beacon) - reinterpret_cast<char*>(&entry_);
  bool const accepted = ::syscall(SYS_set_robust_list, &robust_, sizeof robust_) == 0;
  auto const tid = static_cast<u32>(::syscall(SYS_gettid));
  put(process_.beacon_tid, tid);
  if (accepted) put(process_.beacon, tid | FUTEX_WAITERS);
  lit_.store(accepted ? 1 : 2);
  lit_.notify_one();

  std::vector<::futex_waitv> words;
  while (!stop_.load()) {
    u32 const seen = get(process_.mailbox);
    if (stop_.load()) break;
    if (u32 const revoked = get(process_.revoked); revoked != revoked_seen_) {
      revoked_seen_ = revoked;
      session_.box().tell_listeners();
    }
    words.clear();
    session_.box().tell_waiters([&words](auto const& w) { words.push_back(as_waitv(*w.word, w.expected)); });
    sleep(seen, words);
  }
  robust_.list.next = &robust_.list;
  // Whoever counts this process as dead may have given the slot away.
  u32 mine = tid | FUTEX_WAITERS;
  static_cast<void>(swap(process_.beacon, mine, 0));
}

void beacon_thread::sleep(u32 seen, std::vector<::futex_waitv>& words) const noexcept {
  constexpr auto for_long = std::chrono::hours(1);
  if (words.empty()) return futex_wait(process_.mailbox, seen, for_long);
  if (words.size() <= words_max && !session_.is_without_waitv()) {
    words.push_back(as_waitv(process_.mailbox, seen));
    timespec end{};
    ::clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += std::chrono::seconds(for_long).count();
    if (::syscall(SYS_futex_waitv, words.data(), words.size(), 0, &end, CLOCK_MONOTONIC) >= 0 || errno != ENOSYS)
      return;
  }
  futex_wait(process_.mailbox, seen, std::chrono::milliseconds(50));
}

}  // namespace leasehold::inline v0_1::local
