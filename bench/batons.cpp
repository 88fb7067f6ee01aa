// Decides the measuring loops behind batons.hpp.
#include "batons.hpp"

#include "peers.hpp"
#include "processes.hpp"

#include <leasehold/leasehold.hpp>

#include <signal.h>
#include <unistd.h>

#include <array>
#include <atomic>

namespace bench {
namespace {

constexpr unsigned samples_max = 100'000;
/// Held this long, so that the other process is asleep in its `take` when the release comes.
constexpr double hold_ns = 60'000;

struct hand_off_log {
  std::atomic<int> ready{0};
  std::atomic<int> last_holder{-1};
  std::atomic<double> released_at{0};
  std::atomic<unsigned> count{0};
  std::array<double, samples_max> ns{};
};

void spin_for(double ns) {
  for (auto const end = now_ns() + ns; now_ns() < end;) __builtin_ia32_pause();
}

void play(int me, baton_maker const& make, hand_off_log& log, unsigned wanted) {
  pin(static_cast<unsigned>(me));
  auto const mine = make(me);
  for (++log.ready; log.ready < 2;) usleep(100);
  for (bool more = true; more;) {
    mine.take();
    auto const running_at = now_ns();
    auto const i = log.count.load();
    if (log.last_holder == 1 - me && i < wanted) {
      log.ns[i] = running_at - log.released_at;
      log.count = i + 1;
    }
    log.last_holder = me;
    more = log.count < wanted;
    spin_for(hold_ns);
    log.released_at = now_ns();
    mine.give();
  }
}

struct take_over_log {
  std::atomic<int> holding{0};
  std::atomic<int> waiting{0};
  std::atomic<double> killed_at{0};
  std::atomic<double> running_at{0};
};

double take_over(baton_maker const& make) {
  shared_memory<take_over_log> log;
  child holder([&] {
    pin(0);
    auto const mine = make(0);
    mine.take();
    log->holding = 1;
    for (;;) pause();
  });
  wait_until([&] { return log->holding == 1; });
  child waiter([&] {
    pin(1);
    auto const mine = make(1);
    log->waiting = 1;
    mine.take();
    log->running_at = now_ns();
    mine.give();
  });
  wait_until([&] { return log->waiting == 1; });
  wait_until_asleep(waiter.pid());
  spin_for(5 * hold_ns);
  if (log->running_at > 0) throw std::runtime_error("two holders at once");
  log->killed_at = now_ns();
  holder.kill_and_reap();
  waiter.join();
  return log->running_at - log->killed_at;
}

}  // namespace

baton leasehold_baton(std::string const& store_url) {
  auto const locks = leasehold::open(store_url);
  auto const mutex = std::make_shared<leasehold::mutex>(locks, "baton");
  return {[mutex] { mutex->lock(); }, [mutex] { mutex->unlock(); }};
}

baton flock_baton(std::string const& path) {
  auto const file = std::make_shared<flock_file>(path);
  return {[file] { file->lock(); }, [file] { file->unlock(); }};
}

baton_maker robust_mutex_baton() {
  auto const mutex = std::make_shared<robust_mutex>();
  return [mutex](int) -> baton { return {[mutex] { mutex->lock(); }, [mutex] { mutex->unlock(); }}; };
}

baton_maker raw_futex_baton() {
  using word = std::atomic<std::uint32_t>;
  auto const turn = std::make_shared<shared_memory<word>>();
  return [turn](int me) -> baton {
    auto const mine = static_cast<std::uint32_t>(me);
    return {[turn, mine] {
              while (**turn != mine) futex_wait(**turn, 1 - mine);
            },
            [turn, mine] {
              **turn = 1 - mine;
              futex_wake_one(**turn);
            }};
  };
}

series hand_offs(baton_maker const& make, unsigned count) {
  if (count > samples_max) throw std::logic_error("too many hand-offs asked for");
  shared_memory<hand_off_log> log;
  child first([&] { play(0, make, *log, count); });
  child second([&] { play(1, make, *log, count); });
  first.join();
  second.join();
  return {log->ns.begin(), log->ns.begin() + count};
}

series take_overs(baton_maker const& make, unsigned count) {
  return in_child([&] {
    pin(0);  // the killer beside the holder: the waiter's CPU is idle, as in hand_offs
    series out;
    for (unsigned i = 0; i < count; ++i) out.push_back(take_over(make));
    return out;
  });
}

}  // namespace bench
