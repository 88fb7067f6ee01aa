// Decides how the redis: engine is measured when names are waited for: redis/handoff, redis/handoff/commands, redis/fairness.
#include "batons.hpp"
#include "benchmarks.hpp"
#include "processes.hpp"
#include "redis_peers.hpp"
#include "redis_room.hpp"

#include <leasehold/leasehold.hpp>

#include <algorithm>
#include <array>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned most = 256;
constexpr unsigned processes = 4;

struct line {
  std::atomic<unsigned> grants{0};
  std::atomic<unsigned> arrived{0};
  std::atomic<bool> stop{false};
  std::array<std::atomic<unsigned>, most> turns{};
};

/// What `count` waiters for one name, in several processes, did within `window` once each had its first turn.
struct traffic {
  double commands_per_hand_off = 0;
  double least = 0;  ///< turns of the waiter that had the fewest
  double greatest = 0;
};

void take_turns_at(std::string const& url, line& shared, unsigned me) {
  static auto const locks = leasehold::open(url);
  for (bool is_first = true; !shared.stop; is_first = false) {
    auto const lease = locks.acquire("line", {.ttl = 30s});
    ++shared.grants;
    ++shared.turns.at(me);
    if (is_first) ++shared.arrived;
  }
}

traffic watch(redis_room const& server, unsigned count, std::chrono::milliseconds window) {
  shared_memory<line> shared;
  std::vector<std::unique_ptr<child>> group;
  for (unsigned p = 0; p < processes; ++p) {
    group.push_back(std::make_unique<child>([&, p] {
      std::vector<std::jthread> threads;
      for (unsigned me = p; me < count; me += processes) {
        threads.emplace_back([&, me] { take_turns_at(server.url(), *shared, me); });
      }
    }));
  }
  wait_until([&] { return shared->arrived == count; });
  auto const counts = in_child([&]() -> series {
    hiredis_link counter(server.address());
    std::array<unsigned, most> before{};
    for (unsigned i = 0; i < count; ++i) before.at(i) = shared->turns.at(i);
    auto const sent = counter.commands_of_clients();
    auto const granted = shared->grants.load();
    std::this_thread::sleep_for(window);
    auto const more_sent = counter.commands_of_clients() - sent;
    auto const more_granted = shared->grants.load() - granted;
    traffic t{static_cast<double>(more_sent) / more_granted, 1e9, 0};
    for (unsigned i = 0; i < count; ++i) {
      double const turns = shared->turns.at(i) - before.at(i);
      t.least = std::min(t.least, turns);
      t.greatest = std::max(t.greatest, turns);
    }
    return {t.commands_per_hand_off, t.least, t.greatest};
  });
  shared->stop = true;
  for (auto const& member : group) member->join();
  return {counts.at(0), counts.at(1), counts.at(2)};
}

series our_hand_offs(redis_room const& server, unsigned count) {
  return hand_offs([&](int) { return leasehold_baton(server.url()); }, count);
}

series raw_hand_offs(redis_room const& server, unsigned count) {
  return hand_offs([&](int me) { return published_baton(server.address(), me); }, count);
}

row commands_row(unsigned count) {
  row r{
      .id = "redis/handoff/commands/" + std::to_string(count), .unit = "", .ours = {}, .goals = {{against::limit, 1}}};
  r.note = "commands sent by clients per hand-off, " + std::to_string(count) + " waiters; limit: the bound";
  return r;
}

}  // namespace

std::vector<row> redis_handoff(settings const& how) {
  row p50{.id = "redis/handoff", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.2}}};
  p50.note = "release in one process until the next holder runs in another; limit: publish, receive, the same script";
  progress told(p50.id, how.runs);
  unsigned const count = how.quick ? 100 : 1000;
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const server;
    p50.ours.push_back(median(our_hand_offs(server, count)));
    p50.limit.push_back(median(raw_hand_offs(server, count)));
    told.step();
  }
  std::vector<row> rows{p50};
  for (unsigned const waiters : {8U, 64U, most}) {
    auto r = commands_row(waiters);
    progress counting(r.id, how.runs);
    for (unsigned run = 0; run < how.runs; ++run) {
      redis_room const server;
      r.ours.push_back(watch(server, waiters, how.quick ? 200ms : 1000ms).commands_per_hand_off);
      r.limit.push_back(3);
      counting.step();
    }
    rows.push_back(r);
  }
  return rows;
}

std::vector<row> redis_fairness(settings const& how) {
  row r{.id = "redis/fairness", .unit = "turns", .ours = {}, .goals = {{against::limit, 1.05}}};
  r.note = "8 waiters: the most turns of one; limit: the fewest of one (none starved if it is not 0)";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const server;
    auto const seen = watch(server, 8, how.quick ? 500ms : 3000ms);
    r.ours.push_back(seen.greatest);
    r.limit.push_back(seen.least);
    told.step();
  }
  return {r};
}

}  // namespace bench
