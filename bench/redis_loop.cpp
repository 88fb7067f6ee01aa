// Decides how the redis: engine is measured on an event loop: redis/pair/asio, redis/throughput.
#include "benchmarks.hpp"
#include "processes.hpp"
#include "redis_peers.hpp"
#include "redis_room.hpp"

#include <leasehold/leasehold.hpp>

#ifdef LEASEHOLD_BENCH_ASIO
#include <leasehold/asio.hpp>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#endif

namespace bench {

#ifdef LEASEHOLD_BENCH_ASIO
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

asio::awaitable<void> pairs(leasehold::store locks, std::string name, unsigned count) {
  leasehold::acquire_options const options{.ttl = 30s};
  for (unsigned i = 0; i < count; ++i) {
    auto lease = co_await leasehold::async_acquire(locks, name, options, asio::use_awaitable);
    co_await leasehold::async_release(std::move(lease), asio::use_awaitable);
  }
}

std::string name_of(unsigned me) { return "orders/" + std::to_string(me); }

/// Nanoseconds per pair of `lockers` coroutines on one thread, each on a name of its own.
double in_coroutines(leasehold::store const& locks, unsigned lockers, unsigned each) {
  asio::io_context loop;
  for (unsigned me = 0; me < lockers; ++me) asio::co_spawn(loop, pairs(locks, name_of(me), each), asio::detached);
  auto const start = now_ns();
  loop.run();
  return (now_ns() - start) / (lockers * each);
}

/// One run: {ours, the same scripts} in ns per pair.
series pair_on_a_loop(settings const& how, redis_room const& room) {
  auto const locks = leasehold::open(room.url());
  hiredis_link raw(room.address());
  unsigned const batch = 100;
  std::function<void()> const contenders[] = {
      [&] { static_cast<void>(in_coroutines(locks, 1, batch)); },
      [&] {
        for (unsigned i = 0; i < batch; ++i) raw.pair_by_scripts(name_of(0));
      },
  };
  return take_turns(contenders, how.quick ? 20 : 100, batch);
}

/// One run: {ours, the same scripts sent `depth` at a time over one connection} in ns per pair.
series many_on_a_loop(settings const& how, redis_room const& room, unsigned depth) {
  auto const locks = leasehold::open(room.url());
  hiredis_link link(room.address());
  std::vector<std::string> names;
  for (unsigned i = 0; i < depth; ++i) names.push_back(name_of(i));
  unsigned const each = 2048 / depth;
  std::function<void()> const contenders[] = {
      [&] { static_cast<void>(in_coroutines(locks, depth, each)); },
      [&] {
        for (unsigned i = 0; i < each; ++i) link.pairs_by_scripts(names);
      },
  };
  return take_turns(contenders, how.quick ? 2 : 15, depth * each);
}

}  // namespace

std::vector<row> redis_asio(settings const& how) {
  row r{.id = "redis/pair/asio", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.15}}};
  r.note = "one coroutine on an io_context; limit: the same scripts through a blocking hiredis loop";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    redis_room const room;
    auto const values = in_child([&] { return pair_on_a_loop(how, room); });
    r.ours.push_back(values.at(0));
    r.limit.push_back(values.at(1));
    told.step();
  }
  return {r};
}

std::vector<row> redis_throughput(settings const& how) {
  std::vector<row> rows;
  for (unsigned const count : {64U, 512U}) {
    row r{.id = "redis/throughput/" + std::to_string(count),
          .unit = "ns",
          .ours = {},
          .goals = {{against::limit, 1 / 0.85}}};
    r.note = std::to_string(count) +
             " coroutines of one thread, time per pair; limit: the same scripts, pipelined as deep, by hiredis";
    progress told(r.id, how.runs);
    for (unsigned run = 0; run < how.runs; ++run) {
      redis_room const room;
      auto const values = in_child([&] { return many_on_a_loop(how, room, count); });
      r.ours.push_back(values.at(0));
      r.limit.push_back(values.at(1));
      told.step();
    }
    rows.push_back(r);
  }
  return rows;
}
#else
std::vector<row> redis_asio(settings const&) { throw skipped("no Boost.Asio here"); }
std::vector<row> redis_throughput(settings const&) { throw skipped("no Boost.Asio here"); }
#endif

}  // namespace bench
