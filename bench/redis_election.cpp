// Decides how long a place on a Redis server is empty when its leader is killed: election/failover/redis.
#include "benchmarks.hpp"
#include "processes.hpp"
#include "redis_room.hpp"

#include <leasehold/leasehold.hpp>

#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

/// Milliseconds from the expiry of a killed leader's term to the next one's run, a candidate having stood meanwhile.
double fail_over(std::string const& url) {
  shared_memory<std::atomic<double>> asked_at, standing_at, running_at;
  child leader([&] {
    auto const locks = leasehold::open(url);
    leasehold::election place(locks, "leader", {.ttl = 3s});
    *asked_at = now_ns();
    auto const term = place.campaign();
    *running_at = now_ns();
    for (;;) pause();
  });
  wait_until([&] { return *running_at > 0; });
  *running_at = 0;
  child next([&] {
    auto const locks = leasehold::open(url);
    leasehold::election place(locks, "leader", {.ttl = 3s});
    *standing_at = now_ns();
    auto const term = place.campaign();
    *running_at = now_ns();
  });
  wait_until([&] { return *standing_at > 0; });
  std::this_thread::sleep_for(100ms);  // less than a third of the TTL: nothing has been renewed
  leader.kill_and_reap();
  next.join();
  return (*running_at - *asked_at) / 1e6 - 3000;
}

}  // namespace

std::vector<row> redis_election_failover(settings const& how) {
  row r{.id = "election/failover/redis", .unit = "ms", .ours = {}, .goals = {{against::limit, 1}}};
  r.note = "leader killed, TTL 3 s: next leader after the expiry; limit: the bound";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const server;
    r.ours.push_back(fail_over(server.url()));
    r.limit.push_back(25);
    told.step();
  }
  return {r};
}

}  // namespace bench
