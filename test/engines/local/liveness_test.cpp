// Decides whether the moment of a process's death is told right: not before its last thread has stopped, and to everybody.
#include "engines/local/local_support.hpp"

#include <linux/futex.h>
#include <sched.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace leasehold::test {
namespace {

using liveness = local_store;

void pin_to(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  ::sched_setaffinity(0, sizeof set, &set);
}

/// What /proc says, read the other way round than the engine does: from `status`.
bool has_kill_pending(pid_t pid, pid_t tid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/task/" + std::to_string(tid) + "/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("SigPnd:")) return (std::stoull(line.substr(7), nullptr, 16) & 0x100) != 0;
  }
  return false;
}

TEST_F(liveness, LOCAL_5_while_a_thread_has_not_noticed_the_kill_its_process_is_not_dead) {
  LEASEHOLD_NEEDS_FORK();
  // A thread that gets no processor time cannot notice that it was killed, while its process's beacon goes out.
  if (std::thread::hardware_concurrency() < 2)
    GTEST_SKIP() << "takes two processors: one that starves the thread, one for the rest";
  auto const store = open();
  auto a = store.claim("x");
  child_process hog([] {
    pin_to(0);
    for (;;) {
    }
  });
  int seen = 0;
  for (int round = 0; round < 200 && seen < 3; ++round) {
    int const before = board->step;
    child_process child([&] {
      auto const own = open();
      auto const c = own.claim("x");
      if (!try_once(*c)) ::_exit(1);
      board->value = own.session().slot();
      std::thread starved([&] {
        pin_to(0);
        sched_param const none{};
        ::sched_setscheduler(0, SCHED_IDLE, &none);
        board->when = ::gettid();
        board->step++;
        for (;;) board->counter++;
      });
      for (;;) ::pause();
    });
    ASSERT_TRUE(eventually([&] { return board->step > before; }));
    auto const slot = static_cast<std::uint16_t>(board->value.load());
    auto const tid = static_cast<pid_t>(board->when.load());
    child.signal(SIGKILL);
    while ((store.session().beacon_of(slot) & FUTEX_OWNER_DIED) == 0) std::this_thread::yield();
    bool const before_look = has_kill_pending(child.pid(), tid);
    auto const told = store.session().fate_of(slot);
    if (before_look && has_kill_pending(child.pid(), tid)) {
      ++seen;
      ASSERT_EQ(told, local::fate::dying);
    }
    ASSERT_TRUE(acquire(*a));
    ASSERT_FALSE(has_kill_pending(child.pid(), tid)) << "granted while the dead could still write";
    ASSERT_FALSE(release(*a));
    child.wait();
  }
  if (seen == 0) GTEST_SKIP() << "the scheduler never starved the thread long enough to look";
}

TEST_F(liveness, LOCAL_5_everybody_who_waits_for_the_dead_is_told_though_the_kernel_wakes_one) {
  LEASEHOLD_NEEDS_FORK();
  constexpr int count = 6;
  child_process child([&] {
    auto const own = open();
    std::vector<std::unique_ptr<spi::claim>> held;
    for (int i = 0; i < count; ++i) {
      held.push_back(own.claim("x" + std::to_string(i)));
      if (!try_once(*held.back())) ::_exit(1);
    }
    board->step = 1;
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return board->step == 1; }));
  auto const store = open();
  std::vector<duration> took(count);
  time_point killed_at{};
  std::vector<std::thread> waiters;
  for (std::size_t i = 0; i < count; ++i) {
    waiters.emplace_back([&, i] {
      auto c = store.claim("x" + std::to_string(i));
      EXPECT_TRUE(acquire(*c));
      took[i] = clock::now() - killed_at;
      EXPECT_FALSE(release(*c));
    });
  }
  auto all_wait = [&] {
    auto const infos = store.list("x");
    return infos.size() == count &&
           std::all_of(infos.begin(), infos.end(), [](auto const& i) { return i.waiters.size() == 1; });
  };
  ASSERT_TRUE(eventually(all_wait));
  // Asleep, not merely in line: the beacon is the second word each of them waits for.
  std::this_thread::sleep_for(20ms);
  killed_at = clock::now();
  child.signal(SIGKILL);
  for (auto& w : waiters) w.join();
  for (auto const t : took) EXPECT_LT(t, 800ms) << "found out by its own next look only";
}

TEST_F(liveness, a_process_is_known_by_pid_and_start_time) {
  auto const self = local::own_identity();
  ASSERT_TRUE(self);
  EXPECT_EQ(self->pid, static_cast<std::uint32_t>(::getpid()));
  EXPECT_GT(self->start_time, 0U);
  EXPECT_FALSE(local::may_still_run(self->pid, self->start_time, 0)) << "nobody has killed us";
  EXPECT_FALSE(local::may_still_run(self->pid, self->start_time + 1, 0)) << "that was another process";
  EXPECT_FALSE(local::may_still_run(0x7FFFFFF0, 1, 0)) << "no such process";
}

}  // namespace
}  // namespace leasehold::test
