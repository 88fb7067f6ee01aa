// Decides how long nothing new is granted after each fault of a Redis server: redis/faults/*.
#include "benchmarks.hpp"
#include "processes.hpp"
#include "support/redis_server.hpp"

#include <leasehold/leasehold.hpp>

#include <algorithm>
#include <atomic>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using leasehold::test::redis_server;
using seconds = std::chrono::duration<double>;

constexpr seconds probation = 2.07s;  // of max_ttl=2s, its margin included
constexpr seconds notice =
    0.25s;  // a request's patience, the server's start and the way back to it, and a machine with other things to do

/// The longest time between two grants while `fault` happens, in seconds.
double longest_gap(redis_server& server, std::function<void(redis_server&)> const& fault) {
  auto const url = server.url("?max_ttl=2s");
  leasehold::initialize(url);
  auto const locks = leasehold::open(url, {.op_timeout = 100ms});
  std::atomic<bool> over{false};
  std::atomic<unsigned> granted{0};
  double longest = 0;
  std::thread prober([&] {
    auto last = now_ns();
    for (unsigned i = 0; !over; ++i) {
      auto const tried = locks.try_acquire("job/" + std::to_string(i), {.ttl = 1s}, std::nothrow);
      if (!tried || !*tried) continue;
      auto const now = now_ns();
      longest = std::max(longest, now - last);
      last = now;
      ++granted;
    }
  });
  auto const until_granted = [&](unsigned more) {
    auto const enough = granted + more;
    wait_until([&] { return granted >= enough; });
  };
  until_granted(50);
  fault(server);
  until_granted(50);
  over = true;
  prober.join();
  return longest / 1e9;
}

struct fault {
  char const* id;
  char const* what;
  std::vector<std::string> arguments;
  std::function<void(redis_server&)> cause;
  seconds expected;
};

void restart(redis_server& s) {
  s.kill();
  std::this_thread::sleep_for(500ms);
  s.start();
}

using change = std::function<void(redis_server&)>;

change for_a_second(change const& begin, change const& end) {
  return [=](redis_server& s) {
    begin(s);
    std::this_thread::sleep_for(1s);
    end(s);
  };
}

template <class... Words>
change tell(Words... words) {
  return [=](redis_server& s) { s.command({words...}); };
}

void flush_scripts(redis_server& s) {
  s.command({"SCRIPT", "FLUSH"});
  s.command({"FUNCTION", "FLUSH"});
}

void stop_for_a_second(redis_server& s) {
  s.pause();
  std::this_thread::sleep_for(1s);
  s.resume();
}

void restart_from_snapshot(redis_server& s) {
  s.command({"SAVE"});
  restart(s);
}

std::vector<fault> faults() {
  return {
      {"restart_empty", "killed, back after 0.5 s with nothing", {}, restart, 0.5s + probation},
      {"restart_aof",
       "killed, back after 0.5 s with its append-only file",
       {"--appendonly", "yes"},
       restart,
       0.5s + probation},
      {"restart_snapshot",
       "killed, back after 0.5 s with an old snapshot",
       {},
       restart_from_snapshot,
       0.5s + probation},
      {"flushall", "FLUSHALL", {}, tell("FLUSHALL"), probation},
      {"stopped", "SIGSTOP for 1 s", {}, stop_for_a_second, 1s},
      {"asleep", "DEBUG SLEEP 1", {}, tell("DEBUG", "SLEEP", "1"), 1s},
      {"full",
       "no memory for 1 s",
       {},
       for_a_second(tell("CONFIG", "SET", "maxmemory", "1"), tell("CONFIG", "SET", "maxmemory", "0")),
       1s},
      {"demoted",
       "a replica for 1 s",
       {},
       for_a_second(tell("REPLICAOF", "127.0.0.1", "1"), tell("REPLICAOF", "NO", "ONE")),
       1s},
      {"cut", "all connections killed", {}, tell("CLIENT", "KILL", "TYPE", "normal"), 0s},
      {"scripts", "SCRIPT FLUSH, FUNCTION FLUSH", {}, flush_scripts, 0s},
  };
}

}  // namespace

std::vector<row> redis_faults(settings const& how) {
  if (!redis_server::is_installed()) throw skipped("no redis-server here");
  auto const all = faults();
  std::vector<row> rows;
  progress told("redis/faults", static_cast<unsigned>(all.size()) * how.runs);
  for (auto const& f : all) {
    row r{.id = std::string("redis/faults/") + f.id, .unit = "s", .ours = {}, .goals = {{against::limit, 1}}};
    r.note = std::string(f.what) + ": longest time without a grant (max_ttl 2 s); limit: fault + probation + 0.35 s";
    for (unsigned run = 0; run < how.runs; ++run) {
      r.ours.push_back(in_child([&]() -> series {
                         redis_server server(f.arguments);
                         return {longest_gap(server, f.cause)};
                       }).at(0));
      r.limit.push_back((f.expected + notice).count());
      told.step();
    }
    rows.push_back(std::move(r));
  }
  return rows;
}

}  // namespace bench
