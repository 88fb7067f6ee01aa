// Decides what is left of stores, leases and mutexes in a forked child and when the process ends around them.
#include "unit/moments.hpp"

#include <leasehold/memory.hpp>
#include <leasehold/mutex.hpp>
#include <leasehold/observer.hpp>

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

namespace leasehold::test {
namespace {

/// Exit code of a forked child that runs `body`; 0 is good.
int in_child(std::function<int()> const& body) {
  pid_t const child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(body());
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/// In the child: says which condition failed.
#define CHILD_EXPECT(condition) \
  if (!(condition)) return std::fprintf(stderr, "in the child: %s is false\n", #condition), 1

int use_of_a_parents_lease(store const& locks, lease& held, mutex& m) {
  CHILD_EXPECT(!held.held());
  CHILD_EXPECT(held.error() == errc::lost);
  CHILD_EXPECT(held.remaining() == 0s);
  CHILD_EXPECT(held.lost().stop_requested());
  std::error_code ec;
  held.checkpoint(ec);
  CHILD_EXPECT(ec == errc::lost);
  held.renew(ec);
  CHILD_EXPECT(ec == errc::lost);
  held.release(ec);
  CHILD_EXPECT(ec == errc::lost);
  held = lease();
  CHILD_EXPECT(!m.current().held());
  m.unlock();
  CHILD_EXPECT(locks.try_acquire("y", {}, std::nothrow).error() == errc::unsupported);
  CHILD_EXPECT(locks.inspect("y", std::nothrow).error() == errc::unsupported);
  CHILD_EXPECT(locks.list("", std::nothrow).error() == errc::unsupported);
  CHILD_EXPECT(locks.evict("y", 1, {}, std::nothrow).error() == errc::unsupported);
  CHILD_EXPECT(locks.close(1s));
  try {
    m.lock();
    return 2;
  } catch (error const& e) {
    CHILD_EXPECT(e.code() == errc::unsupported);
  }
  return 0;
}

TEST(fork, LOCAL_7_a_childs_copies_are_void_and_release_nothing) {
  auto const locks = open("mem:fork");
  auto held = locks.acquire("x", {.ttl = 60s});
  mutex m(locks, "m");
  m.lock();
  EXPECT_EQ(in_child([&] { return use_of_a_parents_lease(locks, held, m); }), 0);
  EXPECT_TRUE(held.held());
  EXPECT_TRUE(m.current().held());
  EXPECT_EQ(locks.inspect("x").holders.size(), 1U);
  m.unlock();
  held.release();
}

TEST(fork, LOCAL_7_a_child_that_destroys_everything_disturbs_nobody) {
  auto locks = std::make_unique<store>(open("mem:fork_destroy"));
  auto held = std::make_unique<lease>(locks->acquire("x", {.ttl = 60s}));
  auto m = std::make_unique<mutex>(*locks, "m");
  m->lock();
  EXPECT_EQ(in_child([&] {
              m.reset();
              held.reset();
              locks.reset();
              return 0;
            }),
            0);
  EXPECT_TRUE(held->held());
  EXPECT_TRUE(m->current().held());
}

TEST(fork, OWN_5_a_child_that_opens_its_own_store_is_somebody_else) {
  auto const locks = open("mem:fork_own");
  auto const held = locks.acquire("x", {.ttl = 60s});
  EXPECT_EQ(in_child([&] {
              auto const own = open("mem:fork_own_store");
              auto mine = own.acquire("x", {.ttl = 60s, .wait = 0s, .renew = renewal::manual});
              return mine.held() ? 0 : 1;
            }),
            0);
  EXPECT_TRUE(held.held());
}

class silent : public observer {
  void on_event(event const&) override {}
};

/// Destroyed after all that is made later; asks for the text of an error then.
struct last_words {
  ~last_words() {
    if (make_error_code(errc::lost).message().empty() || make_error_condition(errcond::fatal).message().empty())
      std::abort();
  }
};

[[noreturn]] void exit_with_everything_alive() {
  ::alarm(60);
  static last_words const words;
  static auto const locks = open("mem:exit");
  static auto const watcher = std::make_shared<silent>();
  locks.observe(watcher);
  static auto const held = locks.acquire("x", {.ttl = 1s});
  static mutex m(locks, "m", {.ttl = 1s});
  m.lock();
  static auto* const leaked = new lease(locks.acquire("leaked", {.ttl = 1s}));
  static auto const lost = leaked->lost();
  static std::stop_callback const told(lost, [] {});
  std::thread([] {
    for (;;) {
      std::error_code ec;
      auto const waiting = locks.acquire("x", {}, {}, ec);
      if (ec) ::pause();
    }
  }).detach();
  std::thread([] {
    for (int i = 0;; ++i) locks.acquire("n" + std::to_string(i % 100), {.ttl = 1s}).release();
  }).detach();
  while (locks.inspect("x").waiters.empty()) std::this_thread::yield();
  std::exit(0);
}

TEST(process_death_test, PROC_1_exit_with_live_leases_mutexes_and_threads_is_quick_and_clean) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (int i = 0; i < 3; ++i) EXPECT_EXIT(exit_with_everything_alive(), testing::ExitedWithCode(0), "");
}

TEST(process_death_test, PROC_1_leases_destroyed_with_the_static_objects_release) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        static last_words const words;
        static lease held;
        static memory_engine const engine;
        held = engine.connect().acquire("x");
        std::exit(0);
      },
      testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace leasehold::test
