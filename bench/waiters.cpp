// Decides how the cost of a hand-off is measured with many in line: local/waiters.
#include "benchmarks.hpp"
#include "processes.hpp"

#include <leasehold/leasehold.hpp>

#include <unistd.h>

#include <array>
#include <atomic>
#include <thread>

namespace bench {
namespace {

constexpr unsigned most = 512;
constexpr unsigned processes = 8;

struct ring {
  std::atomic<unsigned> grants{0};
  std::atomic<unsigned> arrived{0};  // waiters that had their first turn
  std::atomic<bool> lined_up{false};
  std::atomic<bool> stop{false};
  std::array<std::atomic<std::uint32_t>, most> turn{};  // raw: the baton; ours: may go to its place in line
  std::array<std::atomic<pid_t>, most> thread{};        // ours: set just before the first acquire
};

/// What each waiter does, and how the measuring process sets them going once all threads are to exist.
struct line {
  std::function<void(ring&, unsigned me, unsigned count)> wait;
  std::function<void(ring&, unsigned count)> start;
};

void let_go(std::atomic<std::uint32_t>& turn) {
  turn = 1;
  futex_wake_one(turn);
}

void await(std::atomic<std::uint32_t>& turn) {
  while (turn == 0) futex_wait(turn, 0);
}

void count_turn(ring& r, bool& is_first) {
  ++r.grants;
  if (is_first) ++r.arrived;
  is_first = false;
}

/// Nanoseconds per hand-off with `count` threads in line, spread over several processes. Neighbours in line are in
/// different processes, and with two `cpus` on different CPUs.
double cost_per_hand_off(line const& kind, unsigned count, unsigned cpus, std::chrono::milliseconds window) {
  shared_memory<ring> shared;
  std::vector<std::unique_ptr<child>> group;
  for (unsigned p = 0; p < processes; ++p) {
    group.push_back(std::make_unique<child>([&, p] {
      pin(p % cpus);
      std::vector<std::jthread> threads;
      for (unsigned me = p; me < count; me += processes) {
        threads.emplace_back([&, me] { kind.wait(*shared, me, count); });
      }
    }));
  }
  kind.start(*shared, count);
  wait_until([&] { return shared->arrived == count; });
  auto const start = now_ns();
  auto const before = shared->grants.load();
  std::this_thread::sleep_for(window);
  auto const hand_offs = shared->grants.load() - before;
  auto const took = now_ns() - start;
  shared->stop = true;
  for (auto const& member : group) member->join();
  return took / hand_offs;
}

/// What handing a turn round costs here without any lock.
line raw_line() {
  auto const wait = [](ring& r, unsigned me, unsigned count) {
    bool is_first = true;
    for (bool more = true; more;) {
      await(r.turn[me]);
      r.turn[me] = 0;
      more = !r.stop;
      count_turn(r, is_first);
      let_go(r.turn[(me + 1) % count]);
    }
  };
  return {wait, [](ring& r, unsigned) { let_go(r.turn[0]); }};
}

/// One store per process, made by whichever thread comes first. The first waiter holds until all others stand in line.
line our_line(std::string const& url) {
  auto const wait = [url](ring& r, unsigned me, unsigned) {
    static auto const locks = leasehold::open(url);
    await(r.turn[me]);
    r.thread[me] = gettid();
    for (bool is_first = true; !r.stop;) {
      auto const lease = locks.acquire("line");
      count_turn(r, is_first);
      while (!r.lined_up) usleep(100);
    }
  };
  auto const start = [](ring& r, unsigned count) {
    for (unsigned me = 0; me < count; ++me) {
      let_go(r.turn[me]);
      wait_until([&] { return r.thread[me] != 0 && r.grants == 1; });
      if (me > 0) wait_until_asleep(r.thread[me]);
    }
    r.lined_up = true;
  };
  return {wait, start};
}

/// One run for one placement: how both lines cost with 8, 64 and 512.
struct costs {
  double ours_8, ours_64, ours_512, raw_8, raw_512;
};

costs measure(unsigned cpus, std::chrono::milliseconds window) {
  scratch const room;
  auto const ours = [&](unsigned count) {
    return cost_per_hand_off(our_line(room.store_url("store" + std::to_string(count))), count, cpus, window);
  };
  auto const raw = [&](unsigned count) { return cost_per_hand_off(raw_line(), count, cpus, window); };
  costs c{};
  c.ours_8 = ours(8);
  c.raw_8 = raw(8);
  c.ours_64 = ours(64);
  c.ours_512 = ours(most);
  c.raw_512 = raw(most);
  return c;
}

}  // namespace

std::vector<row> waiters(settings const& how) {
  row all{.id = "local/waiters", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.3}}};
  all.note = "512 in line on two CPUs; limit: 8 in line; peer: raw futex ring of 512";
  row some{.id = "local/waiters/64", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.3}}};
  some.note = "64 in line; limit: 8 in line";
  row bare{.id = "local/waiters/raw", .unit = "ns", .ours = {}};
  bare.note = "not ours: raw futex ring of 512; limit: ring of 8";
  row one{.id = "local/waiters/one_cpu", .unit = "x", .ours = {}, .goals = {{against::limit, 1.3}}};
  one.note = "growth from 8 to 512, all on one CPU; limit: growth of a raw futex ring";
  row cost{.id = "local/waiters/one_cpu/512", .unit = "ns", .ours = {}};
  cost.note = "512 in line, all on one CPU; limit: 8 in line; peer: raw futex ring of 512";
  std::chrono::milliseconds const window(how.quick ? 50 : 400);
  progress told(all.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    auto const two_cpus = measure(2, window);
    all.ours.push_back(two_cpus.ours_512);
    all.limit.push_back(two_cpus.ours_8);
    all.peer.push_back(two_cpus.raw_512);
    some.ours.push_back(two_cpus.ours_64);
    some.limit.push_back(two_cpus.ours_8);
    bare.ours.push_back(two_cpus.raw_512);
    bare.limit.push_back(two_cpus.raw_8);
    auto const one_cpu = measure(1, window);
    one.ours.push_back(one_cpu.ours_512 / one_cpu.ours_8);
    one.limit.push_back(one_cpu.raw_512 / one_cpu.raw_8);
    cost.ours.push_back(one_cpu.ours_512);
    cost.limit.push_back(one_cpu.ours_8);
    cost.peer.push_back(one_cpu.raw_512);
    told.step();
  }
  return {all, some, bare, one, cost};
}

}  // namespace bench
