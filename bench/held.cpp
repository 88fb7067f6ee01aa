// Decides what holding many leases costs: memory per lease, CPU for renewing them: local/held.
#include "benchmarks.hpp"
#include "processes.hpp"

#include <leasehold/leasehold.hpp>

#include <time.h>

#include <fstream>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr unsigned lease_count = 10'000;
constexpr auto ttl = 10s;

/// This process's share of the memory it uses, the touched pages of shared mappings included.
double resident_bytes() {
  std::ifstream file("/proc/self/smaps_rollup");
  for (std::string word; file >> word;) {
    double kib = 0;
    if (word == "Pss:" && file >> kib) return kib * 1024;
  }
  throw std::runtime_error("no Pss in /proc/self/smaps_rollup");
}

double cpu_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

}  // namespace

series hold_many(std::string const& url, std::chrono::seconds window) {
  auto const locks = leasehold::open(url);
  leasehold::acquire_options const options{.ttl = ttl};
  locks.acquire("warm-up", options).release();
  auto const empty = resident_bytes();
  std::vector<leasehold::lease> leases;
  leases.reserve(lease_count);
  for (unsigned i = 0; i < lease_count; ++i) leases.push_back(locks.acquire("orders/" + std::to_string(i), options));
  auto const full = resident_bytes();
  auto const start = now_ns();
  auto const cpu = cpu_seconds();
  std::this_thread::sleep_for(window);
  auto const share = (cpu_seconds() - cpu) / ((now_ns() - start) / 1e9);
  auto const renewed_after = leases.front().acquired_at() + ttl;
  for (auto const& lease : leases) {
    lease.checkpoint();
    if (window > ttl / 3 && lease.deadline() < renewed_after) throw std::runtime_error("a lease was not renewed");
  }
  return {(full - empty) / lease_count, share * 100};
}

std::vector<row> held(settings const& how) {
  row bytes{.id = "local/held", .unit = "B", .ours = {}, .goals = {{against::limit, 1}}};
  bytes.note = "resident bytes per held lease; limit: the bound";
  row cpu{.id = "local/held/cpu", .unit = "%", .ours = {}, .goals = {{against::limit, 1}}};
  cpu.note = "of one core, renewing 10,000 leases of TTL 10 s; limit: the bound";
  auto const window = how.quick ? 8s : 30s;
  progress told(bytes.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room;
    auto const values = in_child([&] { return hold_many(room.store_url(), window); }, 120);
    bytes.ours.push_back(values.at(0));
    bytes.limit.push_back(512);
    cpu.ours.push_back(values.at(1));
    cpu.limit.push_back(0.1);
    told.step();
  }
  return {bytes, cpu};
}

}  // namespace bench
