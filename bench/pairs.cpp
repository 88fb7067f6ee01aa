// Decides how the cost of an uncontended acquire and release is measured: local/pair/*.
#include "benchmarks.hpp"
#include "peers.hpp"
#include "processes.hpp"

#include <leasehold/leasehold.hpp>

#include <algorithm>
#include <cstdint>
#include <random>

namespace bench {
namespace {

constexpr unsigned batch = 1000;
constexpr unsigned name_count = 10'000;

template <class Lock>
std::function<void()> pairs_of(Lock& lock) {
  return [&lock] {
    for (unsigned i = 0; i < batch; ++i) {
      lock.lock();
      lock.unlock();
    }
  };
}

template <class T>
void use(T const& value) {
  asm volatile("" : : "r"(value));
}

/// One run: {ours, limit, flock} in ns per pair.
series mutex_run(settings const& how, scratch const& room) {
  auto const locks = leasehold::open(room.store_url());
  leasehold::mutex ours(locks, "orders/42");
  robust_mutex robust;
  flock_file file(room.path() / "flock");
  std::function<void()> const contenders[] = {
      [&] {
        for (unsigned i = 0; i < batch; ++i) {
          ours.lock();
          use(ours.current().token());
          use(ours.current().deadline().time_since_epoch().count());
          ours.unlock();
        }
      },
      [&] {
        for (unsigned i = 0; i < batch; ++i) {
          robust.lock();
          read_boottime();
          robust.unlock();
        }
      },
      pairs_of(file),
  };
  return take_turns(contenders, how.quick ? 20 : 200, batch);
}

/// One run: {a reader's pair, a mutex's} in ns per pair.
series shared_run(settings const& how, scratch const& room) {
  auto const locks = leasehold::open(room.store_url());
  leasehold::mutex alone(locks, "orders/42");
  leasehold::shared_mutex together(locks, "orders/43");
  std::function<void()> const contenders[] = {
      [&] {
        for (unsigned i = 0; i < batch; ++i) {
          together.lock_shared();
          use(together.current_shared().token());
          together.unlock_shared();
        }
      },
      [&] {
        for (unsigned i = 0; i < batch; ++i) {
          alone.lock();
          use(alone.current().token());
          alone.unlock();
        }
      },
  };
  return take_turns(contenders, how.quick ? 20 : 200, batch);
}

std::vector<std::string> shuffled_names() {
  std::vector<std::string> names;
  for (unsigned i = 0; i < name_count; ++i) names.push_back("orders/" + std::to_string(i));
  std::shuffle(names.begin(), names.end(), std::mt19937_64(1));
  return names;
}

void pair_of(leasehold::store const& locks, std::string const& name) {
  auto lease = locks.try_acquire(name);
  if (!lease) throw std::runtime_error("a free name was busy: " + name);
  lease->release();
}

/// One run: {ours, flock, flock of a file by its name, ours on the first use of each name} in ns per pair.
series by_name_run(settings const& how, scratch const& room) {
  auto const locks = leasehold::open(room.store_url());
  auto const names = shuffled_names();
  flock_file file(room.path() / "flock");
  auto const files = room.path() / "files";
  std::filesystem::create_directories(files / "orders");
  for (auto const& name : names) flock_file made(files / name);
  auto const start = now_ns();
  for (auto const& name : names) pair_of(locks, name);
  auto const first = (now_ns() - start) / name_count;
  std::size_t next = 0;
  std::size_t next_file = 0;
  std::function<void()> const contenders[] = {
      [&] {
        for (unsigned i = 0; i < batch; ++i) {
          pair_of(locks, names[next]);
          next = (next + 1) % names.size();
        }
      },
      pairs_of(file),
  };
  auto values = take_turns(contenders, how.quick ? 20 : 200, batch);
  // Apart from the others: opening files leaves nothing of theirs in the caches.
  std::function<void()> const opened[] = {[&] {
    for (unsigned i = 0; i < batch; ++i) {
      flock_file named(files / names[next_file]);
      named.lock();
      next_file = (next_file + 1) % names.size();
    }
  }};
  values.push_back(take_turns(opened, how.quick ? 5 : 20, batch).front());
  values.push_back(first);
  return values;
}

row mutex_row(settings const& how, std::string id, std::filesystem::path const& base) {
  row r{.id = std::move(id), .unit = "ns", .ours = {}, .goals = {{against::limit, 4}, {against::peer, 0.2}}};
  r.note = "robust mutex pair + clock read; flock(2) pair";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room(base);
    auto const values = in_child([&] { return mutex_run(how, room); });
    r.ours.push_back(values.at(0));
    r.limit.push_back(values.at(1));
    r.peer.push_back(values.at(2));
    told.step();
  }
  return r;
}

}  // namespace

std::vector<row> pair_mutex(settings const& how) {
  auto const base = scratch::usual_base();
  std::vector<row> rows{mutex_row(how, "local/pair/mutex", base)};
  if (std::filesystem::path const shm = "/dev/shm"; !is_tmpfs(base) && is_tmpfs(shm)) {
    rows.push_back(mutex_row(how, "local/pair/mutex/tmpfs", shm));
  }
  return rows;
}

std::vector<row> pair_shared(settings const& how) {
  row r{.id = "local/shared/pair", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.5}}};
  r.note = "a reader of a shared_mutex; limit: local/pair/mutex";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room;
    auto const values = in_child([&] { return shared_run(how, room); });
    r.ours.push_back(values.at(0));
    r.limit.push_back(values.at(1));
    told.step();
  }
  return {r};
}

std::vector<row> pair_by_name(settings const& how) {
  row r{.id = "local/pair/by_name", .unit = "ns", .ours = {}, .goals = {{against::peer, 1.0 / 3}}};
  r.note = "flock(2) pair";
  row opened{.id = "local/pair/by_name/opened", .unit = "ns", .ours = {}};
  opened.note = "open(2), flock(2), close(2) of as many files";
  row first{.id = "local/pair/by_name/first", .unit = "ns", .ours = {}};
  first.note = "flock(2) pair; first use of each name";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    scratch const room;
    auto const values = in_child([&] { return by_name_run(how, room); });
    r.ours.push_back(values.at(0));
    r.peer.push_back(values.at(1));
    opened.ours.push_back(values.at(0));
    opened.peer.push_back(values.at(2));
    first.ours.push_back(values.at(3));
    first.peer.push_back(values.at(1));
    told.step();
  }
  return {r, opened, first};
}

}  // namespace bench
