// Decides how the redlock: engine is measured, on five servers of the benchmark's own: redlock/*.
#include "benchmarks.hpp"
#include "processes.hpp"
#include "redlock_peers.hpp"
#include "support/redis_server.hpp"

#include <leasehold/leasehold.hpp>

#include <cstdlib>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using leasehold::test::redis_server;

class five_servers {
 public:
  five_servers() {
    if (!redis_server::is_installed()) throw skipped("no redis-server here");
    for (int i = 0; i < 5; ++i) servers_.push_back(std::make_unique<redis_server>());
    static_cast<void>(in_child([&] {
      leasehold::initialize(url());
      return series{};
    }));
  }
  [[nodiscard]] std::string url() const {
    std::string out = "redlock:?list=bench";
    for (auto const& s : servers_) out += "&node=redis%2Bunix://" + s->socket();
    return out;
  }
  [[nodiscard]] std::vector<std::string> sockets() const {
    std::vector<std::string> out;
    for (auto const& s : servers_) out.push_back(s->socket());
    return out;
  }
  [[nodiscard]] redis_server& at(std::size_t i) const { return *servers_[i]; }

 private:
  std::vector<std::unique_ptr<redis_server>> servers_;
};

leasehold::acquire_options const half_a_minute{.ttl = 30s};

void our_pair(leasehold::store const& locks, std::string const& name) {
  auto lease = locks.try_acquire(name, half_a_minute);
  if (!lease) throw std::runtime_error("a free name was busy: " + name);
  lease->release();
}

std::function<void()> times(unsigned n, std::function<void()> f) {
  return [n, f = std::move(f)] {
    for (unsigned i = 0; i < n; ++i) f();
  };
}

/// How often a node was asked by script, which an acquire that wrote back does once more.
double scripts_at(redis_server const& node) {
  auto const stats = node.command({"INFO", "commandstats"});
  constexpr std::string_view mark = "cmdstat_evalsha:calls=";
  auto const at = stats.find(mark);
  return at == std::string::npos ? 0 : std::atof(stats.c_str() + at + mark.size());
}

/// One run: {ours, raw} in ns per pair, and the percentage of acquires that took more than one round trip.
series pairs(settings const& how, five_servers const& nodes) {
  auto const locks = leasehold::open(nodes.url());
  hiredis_quorum raw(nodes.sockets());
  unsigned const batch = 50;
  std::function<void()> const contenders[] = {times(batch, [&] { our_pair(locks, "orders/42"); }),
                                              times(batch, [&] { raw.pair("orders/42"); })};
  auto out = take_turns(contenders, how.quick ? 20 : 100, batch);
  unsigned const counted = 1000;
  // What was given up is carried out all the same: it has been sent.
  our_pair(locks, "orders/42");
  std::this_thread::sleep_for(20ms);
  auto const before = scripts_at(nodes.at(0));
  for (unsigned i = 0; i < counted; ++i) our_pair(locks, "orders/" + std::to_string(i % 50));
  std::this_thread::sleep_for(20ms);
  out.push_back(100 * (scripts_at(nodes.at(0)) - before - counted) / counted);
  return out;
}

std::string name_of(unsigned me) { return "orders/" + std::to_string(me); }

/// {ours, raw} in ns per pair, `count` at a time.
series throughput(settings const& how, five_servers const& nodes, unsigned count) {
  auto const locks = leasehold::open(nodes.url());
  // On a machine that is starved, a vote may be given up undecided: that costs time here, and is no error.
  auto const pair = [&](unsigned me) { locks.acquire(name_of(me), half_a_minute).release(); };
  auto const ours = in_threads(count, how.quick ? 100ms : 500ms, pair);
  hiredis_quorum raw(nodes.sockets());
  std::vector<std::string> names;
  for (unsigned i = 0; i < count; ++i) names.push_back(name_of(i));
  raw.pairs(names);
  unsigned const rounds = (how.quick ? 1'000 : 10'000) / count + 1;
  auto const start = now_ns();
  for (unsigned i = 0; i < rounds; ++i) raw.pairs(names);
  return {ours, (now_ns() - start) / (rounds * count)};
}

/// {median, p99} of single pairs, in ns.
series single_pairs(leasehold::store const& locks, unsigned n) {
  series all;
  for (unsigned i = 0; i < n; ++i) {
    auto const from = now_ns();
    our_pair(locks, "orders/42");
    all.push_back(now_ns() - from);
  }
  return {median(all), quantile(all, 0.99)};
}

double take_over(five_servers const& nodes) {
  constexpr auto ttl = 3s;
  shared_memory<std::atomic<double>> asked_at, running_at;
  child holder([&] {
    auto const locks = leasehold::open(nodes.url());
    *asked_at = now_ns();
    auto const lease = locks.acquire("orders/42", {.ttl = ttl, .renew = leasehold::renewal::manual});
    for (;;) pause();
  });
  wait_until([&] { return *asked_at > 0; });
  std::this_thread::sleep_for(100ms);
  holder.kill_and_reap();
  child next([&] {
    auto const locks = leasehold::open(nodes.url());
    auto const lease = locks.acquire("orders/42", {.ttl = ttl});
    *running_at = now_ns();
  });
  next.join();
  return (*running_at - *asked_at) / 1e6 - 3000;
}

}  // namespace

std::vector<row> redlock_pair(settings const& how) {
  row pair{.id = "redlock/pair", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.2}}};
  pair.note = "five nodes; limit: the same scripts sent to all five by a bare loop that counts a majority";
  row rounds{.id = "redlock/rounds", .unit = "%", .ours = {}, .goals = {{against::limit, 1}}};
  rounds.note = "of uncontended acquires that took more than one round trip; limit: the bound";
  progress told(pair.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    five_servers const nodes;
    auto const values = in_child([&] { return pairs(how, nodes); });
    pair.ours.push_back(values.at(0));
    pair.limit.push_back(values.at(1));
    rounds.ours.push_back(values.at(2));
    rounds.limit.push_back(1);
    told.step();
  }
  return {pair, rounds};
}

std::vector<row> redlock_throughput(settings const& how) {
  row r{.id = "redlock/throughput/64", .unit = "ns", .ours = {}, .goals = {{against::limit, 1 / 0.8}}};
  r.note = "64 threads on one store, time per pair; limit: the same scripts, 64 at a time to all five by hiredis";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    five_servers const nodes;
    auto const values = in_child([&] { return throughput(how, nodes, 64); });
    r.ours.push_back(values.at(0));
    r.limit.push_back(values.at(1));
    told.step();
  }
  return {r};
}

std::vector<row> redlock_one_frozen(settings const& how) {
  row middle{.id = "redlock/one_frozen", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.1}}};
  middle.note = "one of five nodes stopped; limit: all five well";
  row tail{.id = "redlock/one_frozen/p99", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.5}}};
  tail.note = middle.note;
  progress told(middle.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    five_servers const nodes;
    unsigned const n = how.quick ? 500 : 5000;
    auto const locks_and_all = [&] {
      auto const locks = leasehold::open(nodes.url());
      static_cast<void>(single_pairs(locks, n / 10));
      auto out = single_pairs(locks, n);
      nodes.at(2).pause();
      auto const frozen = single_pairs(locks, n);
      nodes.at(2).resume();
      out.insert(out.end(), frozen.begin(), frozen.end());
      return out;
    };
    auto const values = locks_and_all();
    middle.limit.push_back(values.at(0));
    tail.limit.push_back(values.at(1));
    middle.ours.push_back(values.at(2));
    tail.ours.push_back(values.at(3));
    told.step();
  }
  return {middle, tail};
}

std::vector<row> redlock_takeover(settings const& how) {
  row r{.id = "redlock/takeover", .unit = "ms", .ours = {}, .goals = {{against::limit, 1}}};
  r.note = "holder killed, TTL 3 s: next holder after the expiry; limit: the bound";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    five_servers const nodes;
    r.ours.push_back(take_over(nodes));
    r.limit.push_back(25);
    told.step();
  }
  return {r};
}

}  // namespace bench
