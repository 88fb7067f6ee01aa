// Decides whether user code that throws, blocks, calls back or goes away can harm anything but itself.
#include "core/notifier.hpp"

#include "unit/fake_engine.hpp"

#include <leasehold/memory.hpp>
#include <leasehold/mutex.hpp>
#include <leasehold/observer.hpp>

#include <gtest/gtest.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

/// Observers here use what the test's frame owns: wait for the last call before it goes.
void finish_calls() { core::flush_notices(20s); }

class recorder : public observer {
 public:
  explicit recorder(std::function<void(event const&)> also = {}) : also_(std::move(also)) {}
  void on_event(event const& e) override {
    {
      std::lock_guard const hold(guard_);
      seen_.push_back(e);
    }
    changed_.notify_all();
    if (also_) also_(e);
  }
  /// The events so far, once there are `n`.
  std::vector<event> await(std::size_t n) {
    std::unique_lock hold(guard_);
    EXPECT_TRUE(changed_.wait_for(hold, 20s, [&] { return seen_.size() >= n; })) << "only " << seen_.size();
    return seen_;
  }
  std::size_t count(event_kind kind) {
    std::lock_guard const hold(guard_);
    return static_cast<std::size_t>(std::ranges::count(seen_, kind, &event::kind));
  }

 private:
  std::function<void(event const&)> also_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::vector<event> seen_;
};

TEST(notifier, every_kind_of_event_is_told_in_order) {
  fake_engine engine(able_traits(), {.name_space = "app/"});
  auto const who = std::make_shared<recorder>();
  engine.locks.observe(who);
  auto held = engine.locks.acquire("x", {.ttl = 9s});
  engine.time->advance(3s);
  held.renew();
  engine.script->renew = [](std::string const&) -> spi::task<result<duration>> { co_return errc::unavailable; };
  std::error_code ec;
  held.renew(ec);
  held.release();
  auto const seen = who->await(4);
  ASSERT_EQ(seen.size(), 4U);
  EXPECT_EQ(seen[0].kind, event_kind::acquired);
  EXPECT_EQ(seen[1].kind, event_kind::renewed);
  EXPECT_EQ(seen[2].kind, event_kind::jeopardy);
  EXPECT_EQ(seen[2].code, errc::unavailable);
  EXPECT_EQ(seen[2].deadline, at(3s) + 9s - 95ms);
  EXPECT_EQ(seen[3].kind, event_kind::released);
  EXPECT_EQ(seen[3].took, 3s);
  for (auto const& e : seen) {
    EXPECT_EQ(e.name, "x");
    EXPECT_EQ(e.token, 1U);
  }
}

TEST(notifier, waiting_names_the_holder_once_without_the_namespace) {
  memory_engine const engine;
  auto const a = engine.connect({.identity = "them", .name_space = "app/"});
  auto const b = engine.connect({.name_space = "app/"});
  auto const who = std::make_shared<recorder>();
  b.observe(who);
  auto held = a.acquire("x", {.ttl = 60s});
  std::thread waiter([&] { b.acquire("x").release(); });
  auto const first = who->await(1).front();
  EXPECT_EQ(first.kind, event_kind::waiting);
  EXPECT_EQ(first.name, "x");
  ASSERT_TRUE(first.holder);
  EXPECT_EQ(first.holder->identity, "them");
  engine.advance(10s);
  EXPECT_EQ(who->count(event_kind::waiting), 1U);
  held.release();
  waiter.join();
  EXPECT_EQ(who->await(3)[1].kind, event_kind::acquired);
}

TEST(notifier, a_mutex_tells_what_it_acquires_and_releases) {
  fake_engine const engine(able_traits(), {.name_space = "app/"});
  auto const who = std::make_shared<recorder>();
  engine.locks.observe(who);
  mutex m(engine.locks, "x");
  m.lock();
  m.unlock();
  auto const seen = who->await(2);
  EXPECT_EQ(seen[0].kind, event_kind::acquired);
  EXPECT_EQ(seen[0].name, "x");
  EXPECT_EQ(seen[1].kind, event_kind::released);
  EXPECT_EQ(seen[1].name, "x");
}

TEST(notifier, RENEW_12_an_observer_that_throws_is_counted_and_told_again) {
  fake_engine const engine;
  auto const who = std::make_shared<recorder>([](event const&) { throw std::runtime_error("mine"); });
  auto const after = std::make_shared<recorder>();
  engine.locks.observe(who);
  engine.locks.observe(after);
  for (int i = 0; i < 3; ++i) engine.locks.acquire("x").release();
  after->await(6);
  who->await(6);
  EXPECT_EQ(engine.locks.events_dropped(), 6U);
}

TEST(notifier, RENEW_12_an_observer_that_blocks_holds_up_no_lock_and_the_queue_is_bounded) {
  fake_engine const engine;
  engine.script->at_once = true;
  std::mutex blocked;
  std::unique_lock hold(blocked);
  auto const who = std::make_shared<recorder>([&](event const&) { std::lock_guard const wait(blocked); });
  engine.locks.observe(who);
  engine.locks.acquire("x").release();
  who->await(1);  // it is inside now, and stays
  for (int i = 0; i < 1000; ++i) engine.locks.acquire("x").release();
  // Of 2002 events one is being told, 1024 wait, the rest are dropped.
  EXPECT_EQ(engine.locks.events_dropped(), 2002U - 1 - 1024);
  auto held = engine.locks.acquire("y", {.ttl = 9s});
  held.renew();
  EXPECT_TRUE(held.held());
  auto const dropped = engine.locks.events_dropped();
  hold.unlock();
  EXPECT_EQ(who->await(1025).size(), 1025U);
  EXPECT_GE(engine.locks.events_dropped(), dropped);
  finish_calls();
}

TEST(notifier, RENEW_12_an_observer_that_blocks_does_not_hold_up_the_news_of_a_loss) {
  fake_engine const engine;
  std::mutex blocked;
  std::unique_lock hold(blocked);
  auto const who = std::make_shared<recorder>([&](event const&) { std::lock_guard const wait(blocked); });
  engine.locks.observe(who);
  auto const held = engine.locks.acquire("x", {.ttl = 9s});
  who->await(1);
  std::promise<void> told;
  std::stop_callback const tell(held.lost(), [&] { told.set_value(); });
  engine.time->set(held.deadline());
  EXPECT_FALSE(held.held());
  EXPECT_EQ(told.get_future().wait_for(20s), std::future_status::ready);
  hold.unlock();
  finish_calls();
}

TEST(notifier, RENEW_12_an_observer_may_call_back_into_the_store) {
  fake_engine engine;
  lease held;
  auto const who = std::make_shared<recorder>([&](event const& e) {
    if (e.kind != event_kind::acquired || e.name != "x") return;
    engine.locks.acquire("inner").release();
    held.release();
    EXPECT_TRUE(engine.locks.inspect("x").holders.empty());
    engine.locks.observe(std::make_shared<recorder>());
  });
  held = engine.locks.acquire("x");
  engine.locks.observe(who);
  auto const second = engine.locks.acquire("x", {.mode = mode::reader()});
  who->await(4);  // acquired x; acquired and released inner; released x
  finish_calls();
  EXPECT_FALSE(held.held());
}

TEST(notifier, RENEW_12_an_observer_may_close_the_store) {
  fake_engine engine;
  auto const who = std::make_shared<recorder>([&](event const& e) {
    if (e.kind == event_kind::acquired) engine.locks.close(1s);
  });
  engine.locks.observe(who);
  auto const held = engine.locks.acquire("x");
  who->await(2);
  finish_calls();
  EXPECT_FALSE(held.held());
}

TEST(notifier, RENEW_12_an_observer_destroyed_with_events_queued_is_not_called) {
  fake_engine const engine;
  std::mutex blocked;
  std::unique_lock hold(blocked);
  auto const blocker = std::make_shared<recorder>([&](event const&) { std::lock_guard const wait(blocked); });
  auto doomed = std::make_shared<recorder>();
  engine.locks.observe(blocker);
  engine.locks.acquire("x").release();
  blocker->await(1);
  engine.locks.observe(doomed);
  for (int i = 0; i < 10; ++i) engine.locks.acquire("x").release();
  std::weak_ptr<recorder> const gone = doomed;
  doomed.reset();
  EXPECT_TRUE(gone.expired()) << "the queue does not keep an observer alive";
  hold.unlock();
  blocker->await(22);
  finish_calls();
}

TEST(notifier, RENEW_12_events_outlive_their_store) {
  auto const who = std::make_shared<recorder>();
  {
    fake_engine const engine;
    engine.locks.observe(who);
    auto const held = engine.locks.acquire("x");
  }
  who->await(2);
}

TEST(notifier, RENEW_12_loss_is_told_although_an_observer_throws) {
  memory_engine const engine;
  auto const a = engine.connect();
  auto const who = std::make_shared<recorder>([](event const&) { throw 7; });
  a.observe(who);
  auto const held = a.acquire("x", {.ttl = 9s});
  auto const lost = held.lost();
  engine.pause(a);
  engine.advance(9s);
  EXPECT_TRUE(lost.stop_requested());
}

TEST(notifier, loss_is_told_once_however_many_notice) {
  for (int round = 0; round < 20; ++round) {
    fake_engine engine;
    auto const who = std::make_shared<recorder>();
    engine.locks.observe(who);
    auto const held = engine.locks.acquire("x", {.ttl = 9s});
    std::atomic<int> stops{0};
    std::stop_callback const counted(held.lost(), [&] { ++stops; });
    engine.time->set(held.deadline());
    std::vector<std::thread> noticing;
    for (int i = 0; i < 4; ++i) {
      noticing.emplace_back([&] {
        EXPECT_FALSE(held.held());
        EXPECT_THROW(held.checkpoint(), lease_lost);
      });
    }
    noticing.emplace_back([&] { static_cast<void>(spi::run_due(engine.locks)); });
    for (auto& t : noticing) t.join();
    static_cast<void>(spi::run_due(engine.locks));  // delivers what is queued
    EXPECT_EQ(who->count(event_kind::lost), 1U);
    EXPECT_EQ(stops, 1);
    EXPECT_TRUE(held.lost().stop_requested()) << "also to who asks later";
  }
}

}  // namespace
}  // namespace leasehold::test
