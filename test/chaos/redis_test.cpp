// Decides whether clients of one Redis server, with faults at random on the way and in the server, see the history of one correct lock;
// and whether the same judge finds each protection that is taken out of the scripts.
// STRESS_SECONDS=n runs longer than the short default; STRESS_SEED=n repeats a sequence of choices (not of schedules).
#include "support/fault_proxy.hpp"
#include "support/history.hpp"
#include "support/redis_server.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

constexpr auto ttl = 300ms;
constexpr auto longest_ttl = 1s;  // and so the probation
constexpr std::array<char const*, 2> names{"mutex", "permits"};

int from_environment(char const* name, int otherwise) {
  auto const* const text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

/// What all clients saw. Thread-safe.
class journal {
 public:
  void add(operation&& one) {
    std::lock_guard const hold(guard_);
    all_.push_back(std::move(one));
  }
  [[nodiscard]] std::vector<operation> all() const {
    std::lock_guard const hold(guard_);
    return all_;
  }
  [[nodiscard]] std::ptrdiff_t granted() const {
    std::lock_guard const hold(guard_);
    return std::ranges::count(all_, outcome::granted, &operation::outcome);
  }

 private:
  mutable std::mutex guard_;
  std::vector<operation> all_;
};

/// One client: a relay of its own, a store behind it, two threads.
class client {
 public:
  using mutation = std::pair<std::string, std::string>;

  client(redis_server const& server, std::uint32_t id, unsigned seed, std::vector<mutation> const& broken,
         journal& seen)
      : relay((server.folder() / ("relay" + std::to_string(id))).string(), server.socket()), seen_(seen), id_(id) {
    for (auto const& [from, to] : broken) relay.rewrite(from, to);
    auto const url = "redis+unix://" + relay.socket() + "?lazy=1&max_ttl=" + std::to_string(longest_ttl.count()) + "s";
    store_ = open(url, {.op_timeout = 100ms});
    for (std::uint32_t t = 0; t < 2; ++t)
      threads_.emplace_back([this, t, seed](std::stop_token const& stop) { work(t, seed * 31 + id_ * 7 + t, stop); });
  }

  fault_proxy relay;

 private:
  void work(std::uint32_t thread, unsigned seed, std::stop_token const& stop) {
    std::minstd_rand chance(seed + 1);
    while (!stop.stop_requested()) acquire_once(id_ * 2 + thread, chance, stop);
  }

  void acquire_once(std::uint32_t who, std::minstd_rand& chance, std::stop_token const& stop) {
    operation o;
    bool const counted = chance() % 3 == 0;
    o.client = who;
    o.name = names[counted ? 1 : 0];
    o.mode = counted ? mode::semaphore(2) : mode::exclusive();
    o.invoked = clock::now();
    std::error_code ec;
    auto held = store_.acquire(o.name, {.ttl = ttl, .wait = 50ms, .mode = o.mode}, stop, ec);
    o.returned = clock::now();
    o.outcome = held ? outcome::granted : ec == errc::timed_out ? outcome::refused : outcome::failed;
    if (held) hold(held, o, chance);
    seen_.add(std::move(o));
  }

  void hold(lease& held, operation& o, std::minstd_rand& chance) {
    o.token = held.token();
    o.held_until = o.returned;
    // Now and then for longer than a TTL, so that renewals count; and long enough to be disturbed.
    auto const draw = chance() % 20;
    auto const until = o.returned + std::chrono::milliseconds(draw == 0 ? 400 : draw < 5 ? 50 : draw % 5);
    while (clock::now() < until) {
      auto const look = clock::now();
      bool const good = held.held();
      o.sightings.push_back({look, good});
      if (!good) break;
      o.held_until = look;
      std::this_thread::sleep_for(1ms);
    }
    std::error_code ec;
    auto const before = clock::now();
    if (held.held()) o.held_until = before;
    held.release(ec);
    if (!ec) o.gone_by = clock::now();
  }

  journal& seen_;
  std::uint32_t const id_;
  store store_;
  std::vector<std::jthread> threads_;
};

/// Three clients on one server, until it is destroyed.
struct arena {
  explicit arena(unsigned seed, std::vector<client::mutation> const& broken = {}) : chance(seed) {
    initialize(server.url("?max_ttl=" + std::to_string(longest_ttl.count()) + "s"));
    for (std::uint32_t id = 0; id < 3; ++id)
      clients.push_back(std::make_unique<client>(server, id, seed, broken, seen));
  }

  void disturb() {
    auto& relay = clients[chance() % clients.size()]->relay;
    auto const some_time = [&] { return std::chrono::milliseconds(chance() % 500); };
    switch (chance() % 10) {
      case 0:
        return relay.cut();
      case 1:
        return relay.lose_requests(1 + static_cast<std::int64_t>(chance() % 3));
      case 2:
        return relay.lose_replies(1 + static_cast<std::int64_t>(chance() % 3));
      case 3:
        return relay.cut_after(static_cast<std::int64_t>(chance() % 600));
      case 4:
        relay.pause();
        std::this_thread::sleep_for(some_time());
        return relay.resume();
      case 5:
        relay.drip(1 + chance() % 40);
        std::this_thread::sleep_for(some_time() / 2);
        return relay.drip(0);
      case 6:
        server.pause();
        std::this_thread::sleep_for(some_time());
        return server.resume();
      case 7:
        server.command({"SCRIPT", "FLUSH"});
        server.command({"FUNCTION", "FLUSH"});
        return;
      case 8:
        forget();
        return;
      default:
        server.kill();
        server.start();
        return;
    }
  }
  void forget() { server.command({"FLUSHALL"}); }
  [[nodiscard]] std::string verdict() const { return to_string(check_history(seen.all())); }

  redis_server server;
  journal seen;
  std::minstd_rand chance;
  std::vector<std::unique_ptr<client>> clients;
};

/// Whoever comes when the faults are over gets every name: nothing is locked beyond the longest TTL and the probation.
bool everything_is_free_again(redis_server const& server) {
  auto const on = open(server.url("?max_ttl=" + std::to_string(longest_ttl.count()) + "s"));
  auto const end = clock::now() + 10s;
  for (auto const* name : names) {
    acquire_options const want{
        .ttl = ttl, .wait = 1s, .mode = name == names[1] ? mode::semaphore(2) : mode::exclusive()};
    std::error_code ec;
    while (!on.acquire(name, want, {}, ec)) {
      if (clock::now() > end) return false;
      std::this_thread::sleep_for(10ms);
    }
  }
  return true;
}

TEST(redis_chaos, FAIL_1_FAIL_6_faults_at_random_leave_a_correct_history) {
  if (!redis_server::is_installed()) GTEST_SKIP() << "redis-server is not installed";
  auto const seed = static_cast<unsigned>(from_environment("STRESS_SEED", 1));
  auto const end = clock::now() + std::chrono::seconds(from_environment("STRESS_SECONDS", 6));
  std::ptrdiff_t granted = 0;
  for (unsigned round = seed; clock::now() < end; ++round) {
    arena a(round);
    auto const over = std::min(end, clock::now() + 20s);
    while (clock::now() < over) {
      a.disturb();
      std::this_thread::sleep_for(
          std::chrono::milliseconds(a.chance() % 300));  // the pace of disturbance, not a condition
    }
    a.clients.clear();
    ASSERT_EQ(a.verdict(), "") << "seed " << round;
    ASSERT_TRUE(everything_is_free_again(a.server)) << "seed " << round;
    granted += a.seen.granted();
  }
  EXPECT_GT(granted, 20) << "hardly anything happened: seed " << seed;
}

struct mutant {
  char const* what;
  client::mutation change;
  bool needs_amnesia = false;
};

/// What the acquire script protects by, each taken out by bytes of equal length on the way to the server.
std::vector<mutant> mutants() {
  return {{"nobody is in the way", {"redis.call('exists', lock, line) == 0", "redis.call('exists', lock, line) >= 0"}},
          {"the key expires before the deadline", {"me, 'px', ttl + delay)", "me, 'px', ttl / 6    )"}},
          {"no probation", {"math.floor(max * 1.01) + 50", "math.floor(max * 0.00) - 50"}, true},
          {"no floor under the tokens",
           {"t[1] .. string.rep('0', 6 - #us) .. us", "'1'                                   "},
           true}};
}

/// Whether the judge objects within the time.
bool is_caught(mutant const& m, unsigned seed) {
  arena a(seed, {m.change});
  for (auto const end = clock::now() + 20s; clock::now() < end;) {
    if (m.needs_amnesia) a.forget();
    std::this_thread::sleep_for(m.needs_amnesia ? 1500ms : 200ms);  // past the probation
    if (!a.verdict().empty()) return true;
  }
  return false;
}

TEST(redis_chaos, FAIL_6_each_protection_is_missed_when_it_is_taken_out) {
  if (!redis_server::is_installed()) GTEST_SKIP() << "redis-server is not installed";
  auto const seed = static_cast<unsigned>(from_environment("STRESS_SEED", 1));
  for (auto const& m : mutants()) EXPECT_TRUE(is_caught(m, seed)) << m.what;
}

}  // namespace
}  // namespace leasehold::test
