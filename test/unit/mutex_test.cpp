// Decides whether the mutex behaves as the standard library's do, and stays sane when its lease is lost.
#include <leasehold/mutex.hpp>

#include "unit/fake_engine.hpp"

#include <leasehold/memory.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

class mutex_test : public testing::Test {
 protected:
  memory_engine engine;
  store locks = engine.connect();
};

TEST_F(mutex_test, PROC_4_an_exception_under_the_lock_releases_it_and_passes_through) {
  mutex m(locks, "x");
  try {
    std::lock_guard const hold(m);
    throw std::logic_error("mine");
  } catch (std::logic_error const& e) {
    EXPECT_STREQ(e.what(), "mine");
  }
  EXPECT_TRUE(locks.try_acquire("x"));
}

TEST_F(mutex_test, MULTI_1_scoped_lock_takes_two_without_deadlock) {
  mutex a(locks, "a");
  mutex b(locks, "b");
  int inside = 0;
  auto const work = [&](mutex& first, mutex& second) {
    for (int i = 0; i < 100; ++i) {
      std::scoped_lock const both(first, second);
      ++inside;
    }
  };
  std::thread other([&] { work(b, a); });
  work(a, b);
  other.join();
  EXPECT_EQ(inside, 200);
}

TEST_F(mutex_test, PROC_2_many_threads_share_one_mutex) {
  auto const real = open("mem:many_threads_share_one_mutex");
  mutex m(real, "x");
  long counter = 0;
  std::uint64_t token = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        std::lock_guard const hold(m);
        EXPECT_GT(m.current().token(), token);
        token = m.current().token();
        ++counter;
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_EQ(counter, 1600);
}

TEST_F(mutex_test, OWN_7_another_thread_of_the_process_must_wait) {
  mutex m(locks, "x");
  m.lock();
  std::thread([&] {
    EXPECT_FALSE(m.try_lock());
    mutex same_name(locks, "x");
    EXPECT_FALSE(same_name.try_lock());
  }).join();
  EXPECT_FALSE(m.try_lock()) << "nor is it recursive";
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

TEST_F(mutex_test, PROC_3_it_may_be_unlocked_by_another_thread) {
  mutex m(locks, "x");
  std::thread([&] { m.lock(); }).join();
  EXPECT_TRUE(m.current().held());
  m.unlock();
  EXPECT_TRUE(locks.try_acquire("x"));
}

TEST_F(mutex_test, timed_forms_wait_no_longer_than_asked) {
  auto const held = locks.acquire("x", {.ttl = 1h});
  mutex m(locks, "x");
  EXPECT_FALSE(m.try_lock_for(0s));
  EXPECT_FALSE(m.try_lock_for(-1s));
  EXPECT_FALSE(m.try_lock_until(clock::now() - 1s));
  std::thread waiter([&] { EXPECT_FALSE(m.try_lock_for(5s)); });
  while (locks.inspect("x").waiters.empty()) std::this_thread::yield();
  engine.advance(6s);
  waiter.join();
}

TEST_F(mutex_test, a_lock_with_a_bounded_wait_throws_when_it_is_over) {
  auto const held = locks.acquire("x");
  mutex m(locks, "x", {.wait = 0s});
  try {
    m.lock();
    FAIL();
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::timed_out);
  }
}

TEST_F(mutex_test, the_options_are_copied) {
  auto text = std::make_unique<std::string>("me");
  auto labels = std::make_unique<std::vector<label>>(1, label{*text, *text});
  mutex m(locks, "x", {.identity = *text, .reason = *text, .labels = *labels});
  labels.reset();
  text.reset();
  std::lock_guard const hold(m);
  auto const who = locks.inspect("x").holders.at(0);
  EXPECT_EQ(who.identity, "me");
  EXPECT_EQ(who.reason, "me");
  EXPECT_EQ(who.labels.at(0).second, "me");
}

TEST_F(mutex_test, it_keeps_its_store_alive) {
  mutex m(locks, "x");
  auto const moved = std::move(locks);
  EXPECT_FALSE(locks);
  m.lock();
  EXPECT_TRUE(moved.inspect("x").state == lock_state::held);
  m.unlock();
}

TEST_F(mutex_test, destroying_a_locked_mutex_releases) {
  {
    mutex m(locks, "x");
    m.lock();
  }
  EXPECT_TRUE(locks.try_acquire("x"));
}

TEST_F(mutex_test, CLOCK_1_after_a_loss_no_second_thread_gets_it_before_the_unlock) {
  mutex m(locks, "x", {.ttl = 1s});
  m.lock();
  engine.pause(locks);
  engine.advance(2s);
  EXPECT_FALSE(m.current().held());
  engine.resume(locks);
  std::thread([&] {
    try {
      EXPECT_FALSE(m.try_lock());
    } catch (error const& e) {
      EXPECT_EQ(e.code(), errcond::retryable);
    }
  }).join();
  EXPECT_FALSE(m.current().held()) << "still the first one's";
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  EXPECT_TRUE(m.current().held());
  m.unlock();
}

TEST_F(mutex_test, CLOCK_1_unlock_after_a_loss_disturbs_nobody) {
  mutex m(locks, "x", {.ttl = 1s});
  m.lock();
  engine.pause(locks);
  engine.advance(2s);
  engine.resume(locks);
  auto const next = engine.connect().acquire("x");
  m.unlock();
  EXPECT_TRUE(next.held());
  EXPECT_FALSE(m.try_lock());
}

TEST_F(mutex_test, a_closed_store_ends_its_use) {
  mutex m(locks, "x");
  m.lock();
  locks.close(1s);
  EXPECT_FALSE(m.current().held());
  m.unlock();
  EXPECT_THROW(m.lock(), error);
}

TEST_F(mutex_test, OWN_3_after_a_release_of_unknown_outcome_a_fresh_contender_is_used) {
  mutex m(locks, "x", {.ttl = 1s});
  m.lock();
  engine.lose_replies(locks, 1);
  m.unlock();
  EXPECT_TRUE(m.try_lock());
  m.unlock();
  m.lock();
  engine.lose_requests(locks, 1);
  m.unlock();  // never arrives: the name is busy until the TTL
  EXPECT_FALSE(m.try_lock());
  engine.advance(2s);
  EXPECT_TRUE(m.try_lock());
  m.unlock();
}

}  // namespace
}  // namespace leasehold::test
