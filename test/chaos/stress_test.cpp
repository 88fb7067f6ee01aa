// Decides whether real processes, some of them killed or frozen at any moment, see the history of one correct lock.
// STRESS_SECONDS=n runs longer than the short default; STRESS_SEED=n repeats a sequence of choices (not of schedules).
#include "support/history.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace leasehold {
namespace {

using namespace std::chrono_literals;

constexpr int workers = 4;
constexpr int threads_per_worker = 2;
constexpr std::array<char const*, 3> names{"mutex", "shared", "permits"};
constexpr duration thaw_after = 30ms;

/// One acquisition, written field by field while it happens: what a killed worker leaves behind is still true.
struct row {
  std::atomic<std::int32_t> pid;  // 0: not begun
  std::atomic<std::uint32_t> thread;
  std::atomic<std::uint32_t> name;
  std::atomic<std::uint32_t> capacity;
  std::atomic<std::uint64_t> token;
  std::atomic<std::int64_t> invoked;
  std::atomic<std::int64_t> returned;
  std::atomic<std::int64_t> held_until;
  std::atomic<std::int64_t> gone_by;
  std::atomic<test::outcome> outcome;
};

/// Shared by all processes of the test.
struct journal {
  static constexpr std::uint32_t rows_max = 1U << 18;
  std::atomic<std::uint32_t> used;
  std::array<row, rows_max> rows;

  row* next() {
    auto const at = used.fetch_add(1);
    return at < rows_max ? &rows[at] : nullptr;
  }
};

std::int64_t stamp() { return clock::now().time_since_epoch().count(); }
time_point at(std::int64_t nanoseconds) { return time_point{} + duration(nanoseconds); }

class journal_memory {
 public:
  journal_memory()
      : at_(::mmap(nullptr, sizeof(journal), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                   0)) {
    if (at_ == MAP_FAILED) throw std::bad_alloc();
  }
  journal_memory(journal_memory const&) = delete;
  journal_memory& operator=(journal_memory const&) = delete;
  ~journal_memory() { ::munmap(at_, sizeof(journal)); }
  journal* operator->() const { return static_cast<journal*>(at_); }  // zero bytes are a valid, empty journal

 private:
  void* at_;
};

acquire_options draw_options(std::minstd_rand& chance, std::uint32_t name) {
  acquire_options o;
  if (name == 1 && chance() % 3 != 0) o.mode = mode::reader();
  if (name == 2) o.mode = mode::semaphore(2);
  if (chance() % 3 == 0) o.wait = duration::zero();
  if (chance() % 4 == 0) o.wait = 2ms;
  return o;
}

void acquire_once(store const& on, row& r, std::uint32_t thread, std::minstd_rand& chance) {
  auto const name = static_cast<std::uint32_t>(chance() % names.size());
  auto const options = draw_options(chance, name);
  r.thread = thread;
  r.name = name;
  r.capacity = options.mode.capacity;
  r.outcome = test::outcome::unknown;
  r.invoked = stamp();
  r.pid = ::getpid();
  std::error_code ec;
  auto held = on.acquire(names[name], options, {}, ec);
  r.returned = stamp();
  if (!held) {
    r.outcome = ec == errc::timed_out ? test::outcome::refused : test::outcome::failed;
    return;
  }
  r.token = held.token();
  r.outcome = test::outcome::granted;
  for (auto spin = chance() % 2000; spin > 0; --spin) std::atomic_signal_fence(std::memory_order_seq_cst);
  if (chance() % 64 == 0) std::this_thread::yield();
  r.held_until = stamp();
  held.release(ec);
  if (!ec) r.gone_by = stamp();
}

[[noreturn]] void work(std::string const& url, journal_memory const& seen, unsigned seed) {
  auto const on = open(url);
  std::vector<std::jthread> threads;
  for (std::uint32_t t = 0; t < threads_per_worker; ++t) {
    threads.emplace_back([&, t] {
      std::minstd_rand chance(seed * 31 + t + 1);
      while (auto* r = seen->next()) acquire_once(on, *r, t, chance);
    });
  }
  for (auto& t : threads) t.join();
  ::_exit(0);
}

/// A worker process, and when it was told to die.
struct worker {
  pid_t pid = 0;
  std::int64_t killed_at = 0;
};

class crew {
 public:
  crew(std::string url, journal_memory const& seen, unsigned seed) : url_(std::move(url)), seen_(seen), chance_(seed) {
    for (auto& w : now_) w.pid = start();
  }
  crew(crew const&) = delete;
  crew& operator=(crew const&) = delete;
  ~crew() {
    for (auto& w : now_) kill(w);
  }

  void disturb() {
    auto& victim = now_[chance_() % now_.size()];
    if (chance_() % 3 == 0) {
      ::kill(victim.pid, SIGSTOP);
      std::this_thread::sleep_for(thaw_after);
      ::kill(victim.pid, SIGCONT);
    } else {
      kill(victim);
      victim.pid = start();
    }
  }
  void end() {
    for (auto& w : now_) kill(w);
  }
  /// Every worker there ever was.
  [[nodiscard]] std::vector<worker> const& dead() const { return dead_; }

 private:
  pid_t start() {
    auto const seed = static_cast<unsigned>(chance_());
    auto const pid = ::fork();
    if (pid == 0) work(url_, seen_, seed);
    if (pid < 0)
      throw std::system_error(errno, std::generic_category(), "fork");  // never signal "process" -1: that is all
    return pid;
  }
  void kill(worker& w) {
    if (w.pid <= 0) return;
    w.killed_at = stamp();  // before the signal: until here it was alive
    ::kill(w.pid, SIGKILL);
    ::waitpid(w.pid, nullptr, 0);
    dead_.push_back(w);
    w = {};
  }

  std::string url_;
  journal_memory const& seen_;
  std::minstd_rand chance_;
  std::array<worker, workers> now_{};
  std::vector<worker> dead_;
};

test::operation read(row const& r, std::vector<worker> const& dead) {
  test::operation o;
  auto const pid = r.pid.load();
  auto const killed = std::ranges::find(dead, pid, &worker::pid);
  auto const end = killed != dead.end() ? killed->killed_at : stamp();
  o.client = static_cast<std::uint32_t>(pid) * threads_per_worker + r.thread;
  o.name = names[r.name];
  o.mode = {r.capacity};
  o.invoked = at(r.invoked);
  o.outcome = r.outcome;
  o.returned = at(r.returned != 0 ? r.returned.load() : std::max(end, r.invoked.load()));
  if (o.outcome != test::outcome::granted) return o;
  o.token = r.token;
  o.held_until = at(std::max(r.held_until != 0 ? r.held_until.load() : end, r.returned.load()));
  if (r.gone_by != 0) o.gone_by = at(r.gone_by);
  return o;
}

int from_environment(char const* name, int otherwise) {
  auto const* const text = std::getenv(name);
  return text != nullptr ? std::atoi(text) : otherwise;
}

class folder {
 public:
  folder() {
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-stress-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    path_ = pattern;
  }
  folder(folder const&) = delete;
  folder& operator=(folder const&) = delete;
  ~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] std::string url() const { return "local:" + (path_ / "store").string(); }

 private:
  std::filesystem::path path_;
};

struct round_result {
  std::vector<test::operation> history;
  std::size_t deaths = 0;
};

/// Until the journal is full or the time is up.
round_result play_round(std::string const& url, unsigned seed, time_point end) {
  journal_memory const seen;
  crew all(url, seen, seed);
  while (clock::now() < end && seen->used < journal::rows_max) {
    std::this_thread::sleep_for(10ms);  // the pace of disturbance, not a condition
    all.disturb();
  }
  all.end();
  round_result done{.history = {}, .deaths = all.dead().size()};
  auto const used = std::min<std::uint32_t>(seen->used, journal::rows_max);
  for (std::uint32_t i = 0; i < used; ++i) {
    if (seen->rows[i].pid != 0) done.history.push_back(read(seen->rows[i], all.dead()));
  }
  return done;
}

TEST(stress, LOCAL_1_processes_killed_and_frozen_at_random_leave_a_correct_history) {
  folder const where;
  auto seed = static_cast<unsigned>(from_environment("STRESS_SEED", 1));
  auto const end = clock::now() + std::chrono::seconds(from_environment("STRESS_SECONDS", 5));
  std::ptrdiff_t granted = 0;
  std::size_t deaths = 0;
  while (clock::now() < end) {
    auto const done = play_round(where.url(), seed++, std::min(end, clock::now() + 5s));
    ASSERT_EQ(test::to_string(test::check_history(done.history)), "") << "seed " << seed - 1;
    ASSERT_EQ(std::ranges::count(done.history, test::outcome::failed, &test::operation::outcome), 0);
    granted += std::ranges::count(done.history, test::outcome::granted, &test::operation::outcome);
    deaths += done.deaths;
    // Liveness: whoever comes now gets everything at once.
    auto const on = open(where.url());
    for (auto const* name : names) ASSERT_TRUE(on.acquire(name, {.wait = 5s}).held()) << name;
  }
  EXPECT_GT(granted, 1000);
  EXPECT_GT(deaths, 20U);
  RecordProperty("granted", static_cast<int>(granted));
  RecordProperty("deaths", static_cast<int>(deaths));
}

}  // namespace
}  // namespace leasehold
