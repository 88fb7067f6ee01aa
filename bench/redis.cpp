// Decides how the redis: engine is measured, on a server of the benchmark's own: redis/*.
#include "benchmarks.hpp"
#include "processes.hpp"
#include "redis_peers.hpp"
#include "redis_room.hpp"

#include <leasehold/leasehold.hpp>

#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using leasehold::test::redis_server;

leasehold::acquire_options const half_a_minute{.ttl = 30s};

void our_pair(leasehold::store const& locks, std::string const& name) {
  auto lease = locks.try_acquire(name, half_a_minute);
  if (!lease) throw std::runtime_error("a free name was busy: " + name);
  lease->release();
}

/// One run: {ours, the same scripts, plain commands} in ns per pair.
series pairs(settings const& how, std::string const& url, std::string const& address) {
  auto const locks = leasehold::open(url);
  hiredis_link raw(address);
  unsigned const batch = 100;
  auto const times = [](auto f) {
    return [f] {
      for (unsigned i = 0; i < batch; ++i) f();
    };
  };
  std::function<void()> const contenders[] = {
      times([&] { our_pair(locks, "orders/42"); }),
      times([&] { raw.pair_by_scripts("orders/42"); }),
      times([&] { raw.pair_by_commands("orders/42"); }),
  };
  return take_turns(contenders, how.quick ? 20 : 100, batch);
}

std::string name_of(unsigned me) { return "orders/" + std::to_string(me); }

double our_threads(settings const& how, redis_room const& server, unsigned count) {
  auto const locks = leasehold::open(server.url());
  return in_threads(count, how.quick ? 100ms : 500ms, [&](unsigned me) { our_pair(locks, name_of(me)); });
}

series many_threads(settings const& how, redis_room const& server) {
  constexpr unsigned count = 8;
  std::vector<std::unique_ptr<hiredis_link>> links;
  for (unsigned i = 0; i < count; ++i) links.push_back(std::make_unique<hiredis_link>(server.address()));
  return {our_threads(how, server, count),
          in_threads(count, how.quick ? 100ms : 500ms, [&](unsigned me) { links[me]->pair_by_scripts(name_of(me)); })};
}

/// How many milliseconds after the expiry of a killed holder's lease the next one runs.
double take_over(redis_room const& server) {
  constexpr auto ttl = 3s;
  shared_memory<std::atomic<double>> asked_at, running_at;
  child holder([&] {
    auto const locks = leasehold::open(server.url());
    *asked_at = now_ns();
    auto const lease = locks.acquire("orders/42", {.ttl = ttl, .renew = leasehold::renewal::manual});
    for (;;) pause();
  });
  wait_until([&] { return *asked_at > 0; });
  std::this_thread::sleep_for(100ms);
  holder.kill_and_reap();
  child next([&] {
    auto const locks = leasehold::open(server.url());
    auto const lease = locks.acquire("orders/42", {.ttl = ttl});
    *running_at = now_ns();
  });
  next.join();
  return (*running_at - *asked_at) / 1e6 - 3000;
}

}  // namespace

redis_room::redis_room() : port_(leasehold::test::free_port()) {
  if (!redis_server::is_installed()) throw skipped("no redis-server here");
  server_ =
      std::make_unique<redis_server>(std::vector<std::string>{"--port", std::to_string(port_), "--bind", "127.0.0.1"});
  static_cast<void>(in_child([&] {
    leasehold::initialize(url());
    return series{};
  }));
}

std::vector<row> redis_pair(settings const& how) {
  row scripts{.id = "redis/pair/blocking", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.05}}};
  scripts.note = "the same scripts through a blocking hiredis loop";
  row plain{.id = "redis/pair/plain", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.35}}};
  plain.note = "SET NX PX and compare-and-delete through a blocking hiredis loop";
  row near_scripts{.id = "redis/pair/blocking/unix", .unit = "ns", .ours = {}, .note = "the same on a Unix socket"};
  row near_plain{.id = "redis/pair/plain/unix", .unit = "ns", .ours = {}, .note = "the same on a Unix socket"};
  auto const note_down = [](series const& values, row& by_scripts, row& by_commands) {
    by_scripts.ours.push_back(values.at(0));
    by_scripts.limit.push_back(values.at(1));
    by_commands.ours.push_back(values.at(0));
    by_commands.limit.push_back(values.at(2));
  };
  progress told(scripts.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const room;
    note_down(in_child([&] { return pairs(how, room.url(), room.address()); }), scripts, plain);
    note_down(in_child([&] { return pairs(how, room.unix_url(), room.socket()); }), near_scripts, near_plain);
    told.step();
  }
  return {scripts, plain, near_scripts, near_plain};
}

std::vector<row> redis_threads(settings const& how) {
  row r{.id = "redis/threads/8", .unit = "ns", .ours = {}, .goals = {{against::limit, 1 / 1.1}}};
  r.note = "eight threads on one store, time per pair; limit: eight hiredis connections";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const server;
    auto const values = in_child([&] { return many_threads(how, server); });
    r.ours.push_back(values.at(0));
    r.limit.push_back(values.at(1));
    told.step();
  }
  return {r};
}

std::vector<row> redis_held(settings const& how) {
  row bytes{.id = "redis/held/bytes", .unit = "B", .ours = {}, .goals = {{against::limit, 1}}};
  bytes.note = "resident bytes per held lease; limit: the bound";
  row cpu{.id = "redis/held/10000", .unit = "%", .ours = {}, .goals = {{against::limit, 1}}};
  cpu.note = "of one core, renewing 10,000 leases of TTL 10 s; limit: the bound";
  progress told(cpu.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const server;
    auto const values = in_child([&] { return hold_many(server.url(), how.quick ? 8s : 30s); }, 120);
    bytes.ours.push_back(values.at(0));
    bytes.limit.push_back(1024);
    cpu.ours.push_back(values.at(1));
    cpu.limit.push_back(0.3);
    told.step();
  }
  return {cpu, bytes};
}

std::vector<row> redis_takeover(settings const& how) {
  row r{.id = "redis/takeover", .unit = "ms", .ours = {}, .goals = {{against::limit, 1}}};
  r.note = "holder killed, TTL 3 s: next holder after the expiry; limit: the bound";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const server;
    r.ours.push_back(take_over(server));
    r.limit.push_back(10);
    told.step();
  }
  return {r};
}

}  // namespace bench
