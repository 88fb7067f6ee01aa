// Decides whether waiters are served in order, one wake-up each, and whether a wait ends when it should.
#include "engines/local/local_support.hpp"

#include <thread>

namespace leasehold::test {
namespace {

using line = local_store;

TEST_F(line, WAIT_7_first_come_first_served) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  std::vector<std::unique_ptr<spi::claim>> waiting;
  for (int i = 0; i < 20; ++i) {
    waiting.push_back(store.claim("x"));
    auto const answer = *waiting.back()->attempt_now();
    ASSERT_EQ(std::get<spi::busy>(*answer).ahead, static_cast<std::uint32_t>(i));
  }
  EXPECT_FALSE(release(*a));
  auto barging = store.claim("x");
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    EXPECT_FALSE(try_once(*barging)) << "nobody passes the line";
    if (i + 1 < waiting.size()) {
      EXPECT_FALSE(try_and_queue(*waiting[i + 1]));
    }
    ASSERT_TRUE(try_and_queue(*waiting[i]));
    EXPECT_FALSE(release(*waiting[i]));
  }
  EXPECT_TRUE(try_once(*barging));
  EXPECT_FALSE(release(*barging));
}

TEST_F(line, WAIT_3_a_release_wakes_exactly_the_next) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  constexpr int count = 30;
  std::atomic<int> looks{0};
  std::atomic<int> grants{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&] {
      auto c = store.claim("x");
      auto work = [&]() -> spi::task<void> {
        for (;;) {
          ++looks;
          auto const answer = co_await c->attempt();
          if (std::holds_alternative<spi::granted>(*answer)) break;
          co_await c->changed(time_point::max());
        }
      };
      run(work());
      ++grants;
      EXPECT_FALSE(release(*c));
    });
    ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == static_cast<std::size_t>(i + 1); }));
  }
  looks = 0;
  auto const begun = clock::now();
  EXPECT_FALSE(release(*a));
  threads.clear();
  auto const took = clock::now() - begun;
  EXPECT_EQ(grants, count);
  // One look each; the bounded safety looks add one per waiter and quarter second at most.
  EXPECT_LE(looks, count + count * (1 + took / 250ms) / 4 + 2) << "a herd";
}

TEST_F(line, WAIT_5_WAIT_9_a_wait_that_ends_leaves_nothing_behind) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  auto b = store.claim("x");
  auto const begun = clock::now();
  EXPECT_FALSE(acquire(*b, 0ms));
  EXPECT_FALSE(acquire(*b, 50ms));
  EXPECT_GE(clock::now() - begun, 50ms);
  EXPECT_LT(clock::now() - begun, 2s);
  EXPECT_TRUE(store.inspect("x").waiters.empty());
  std::stop_source stop;
  std::thread stopper([&] {
    ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
    stop.request_stop();
  });
  EXPECT_FALSE(acquire(*b, 60s, stop.get_token()));
  stopper.join();
  EXPECT_TRUE(store.inspect("x").waiters.empty());
  EXPECT_FALSE(release(*a));
  EXPECT_TRUE(try_once(*b));
  EXPECT_FALSE(release(*b));
}

TEST_F(line, WAIT_5_a_reservation_that_races_with_the_end_is_handed_on) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  auto b = store.claim("x");
  auto c = store.claim("x");
  ASSERT_FALSE(try_and_queue(*b));
  ASSERT_FALSE(try_and_queue(*c));
  EXPECT_FALSE(release(*a));  // reserved for b
  EXPECT_FALSE(release(*b));  // which gives up instead
  EXPECT_TRUE(try_and_queue(*c));
  EXPECT_FALSE(release(*c));
  // Many at once: whatever is granted is released, and in the end the name is free.
  std::vector<std::jthread> threads;
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&, t] {
      auto own = store.claim("x");
      for (int i = 0; i < 300; ++i) {
        if (acquire(*own, std::chrono::microseconds((i * 7 + t * 13) % 400))) {
          EXPECT_FALSE(release(*own));
        }
      }
    });
  }
  threads.clear();
  EXPECT_TRUE(store.list().empty());
  EXPECT_TRUE(try_once(*a));
  EXPECT_FALSE(release(*a));
}

TEST_F(line, WAIT_6_dead_waiters_are_skipped) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  auto queue_up = [&] {
    auto const own = open();
    auto const c = own.claim("x");
    if (try_and_queue(*c)) board->worst = 1;
    board->step++;
    for (;;) ::pause();
  };
  child_process first(queue_up);
  ASSERT_TRUE(eventually([&] { return board->step == 1; }));
  child_process second(queue_up);
  ASSERT_TRUE(eventually([&] { return board->step == 2; }));
  auto b = store.claim("x");
  EXPECT_EQ(std::get<spi::busy>(**b->attempt_now()).ahead, 2U);
  second.kill();
  first.kill();
  auto const begun = clock::now();
  EXPECT_FALSE(release(*a));
  EXPECT_TRUE(acquire(*b));
  EXPECT_LT(clock::now() - begun, 100ms);
  EXPECT_FALSE(release(*b));
}

TEST_F(line, WAIT_6_a_stopped_waiter_is_passed_over_after_the_claim_time_and_queues_again) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  child_process stopped([&] {
    auto const own = open();
    auto const c = own.claim("x");
    auto const token = acquire(*c, 60s);
    board->value = token.value_or(0);
    static_cast<void>(release(*c));
  });
  ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
  stopped.signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return stopped.is_stopped(); }));
  auto b = store.claim("x");
  std::thread waiter([&] {
    EXPECT_TRUE(acquire(*b));
    board->when = clock::now().time_since_epoch().count();
  });
  ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 2; }));
  auto const begun = clock::now();
  EXPECT_FALSE(release(*a));
  waiter.join();
  auto const took = duration(board->when.load()) - begun.time_since_epoch();
  EXPECT_GE(took, 90ms);
  EXPECT_LT(took, 1500ms);
  EXPECT_EQ(board->value, 0U);
  stopped.signal(SIGCONT);
  EXPECT_FALSE(release(*b));
  EXPECT_EQ(stopped.wait(), 0);
  EXPECT_NE(board->value, 0U) << "it got its turn in the end";
}

TEST_F(line, WAIT_10_spurious_wake_ups_are_harmless) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  std::atomic<bool> got{false};
  std::jthread waiter([&] {
    auto b = store.claim("x");
    EXPECT_TRUE(acquire(*b));
    got = true;
    EXPECT_FALSE(release(*b));
  });
  ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
  for (int i = 0; i < 50; ++i) {
    for (std::uint32_t seat = 1; seat <= store.session().mem().used_seats(); ++seat) {
      store.session().mem().seat_at(seat).wake++;
      local::futex_wake(store.session().mem().seat_at(seat).wake, 10);
    }
    local::ring(store.session().mem().process(store.session().slot()));
    std::this_thread::yield();
  }
  EXPECT_FALSE(got);
  EXPECT_FALSE(release(*a));
  EXPECT_TRUE(eventually([&] { return got.load(); }));
}

/// A driver that can wait for nothing but its waker, as an event loop that knows descriptors only.
class waker_driver final : public spi::driver {
 public:
  struct flag final : spi::waker {
    std::atomic<std::uint32_t> rung{0};
    void wake() noexcept override {
      rung++;
      rung.notify_all();
    }
  };
  [[nodiscard]] time_point now() const noexcept override { return clock::now(); }
  void wait(spi::wait_node& node) override { node_ = &node; }
  void forget(spi::wait_node& node) noexcept override {
    if (node_ == &node) node_ = nullptr;
  }
  [[nodiscard]] bool waits_on_futex() const noexcept override { return false; }
  [[nodiscard]] std::shared_ptr<spi::waker> get_waker() override { return flag_; }
  void shield(bool) noexcept override {}
  template <class T>
  T run(spi::task<T> t) {
    std::uint32_t seen = 0;
    t.start(*this);
    while (!t.done()) {
      EXPECT_TRUE(eventually([&] { return flag_->rung != seen || clock::now() >= node_->request.until; }));
      if (flag_->rung != seen) ++by_waker;
      seen = flag_->rung;
      auto* const node = std::exchange(node_, nullptr);
      node->why = clock::now() >= node->request.until ? spi::wake::timeout : spi::wake::ready;
      node->resume.resume();
    }
    return t.take();
  }
  int by_waker = 0;

 private:
  std::shared_ptr<flag> flag_ = std::make_shared<flag>();
  spi::wait_node* node_ = nullptr;
};

spi::task<bool> wait_until_granted(spi::claim& c) {
  for (;;) {
    auto const answer = co_await c.attempt();
    if (!answer) co_return false;
    if (std::holds_alternative<spi::granted>(*answer)) co_return true;
    co_await c.changed(time_point::max());
  }
}

TEST_F(line, a_driver_without_futexes_is_woken_by_a_release_and_by_a_death) {
  LEASEHOLD_NEEDS_FORK();
  for (auto const* query : {"", "?futex_waitv=0"}) {
    auto const store = open(query);
    auto a = store.claim("x");
    ASSERT_TRUE(try_once(*a));
    std::jthread releaser([&] {
      ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
      std::this_thread::sleep_for(5ms);
      EXPECT_FALSE(release(*a));
    });
    waker_driver drive;
    auto b = store.claim("x");
    auto begun = clock::now();
    EXPECT_TRUE(drive.run(wait_until_granted(*b)));
    EXPECT_LT(clock::now() - begun, 900ms);
    EXPECT_FALSE(release(*b));
    auto const child = holder("x");
    std::jthread killer([&] {
      ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
      std::this_thread::sleep_for(5ms);
      child->signal(SIGKILL);
    });
    begun = clock::now();
    EXPECT_TRUE(drive.run(wait_until_granted(*b)));
    EXPECT_LT(clock::now() - begun, 900ms);
    EXPECT_FALSE(release(*b));
    if (*query == '\0') {
      EXPECT_GE(drive.by_waker, 2);
    }
  }
}

TEST_F(line, a_task_destroyed_while_it_waits_leaves_the_mailbox_alone) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  auto b = store.claim("x");
  {
    waker_driver drive;
    auto waiting = wait_until_granted(*b);
    waiting.start(drive);
    EXPECT_FALSE(waiting.done());
  }
  EXPECT_FALSE(release(*b));
  EXPECT_FALSE(release(*a));
  EXPECT_TRUE(store.list().empty());
}

}  // namespace
}  // namespace leasehold::test
