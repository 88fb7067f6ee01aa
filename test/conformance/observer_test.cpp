// Decides what observers are told, in which order, and that they can break nothing.
#include "conformance/suite.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

namespace leasehold::conformance {
namespace {

class recorder final : public observer {
 public:
  void on_event(event const& what) override {
    std::lock_guard const hold(guard_);
    events_.push_back(what);
    threads_.insert(std::this_thread::get_id());
  }
  [[nodiscard]] std::vector<event> events() const {
    std::lock_guard const hold(guard_);
    return events_;
  }
  [[nodiscard]] std::size_t count(event_kind kind) const {
    auto const all = events();
    return static_cast<std::size_t>(std::ranges::count(all, kind, &event::kind));
  }
  [[nodiscard]] std::set<std::thread::id> threads() const {
    std::lock_guard const hold(guard_);
    return threads_;
  }

 private:
  mutable std::mutex guard_;
  std::vector<event> events_;
  std::set<std::thread::id> threads_;
};

class stubborn final : public observer {
 public:
  void on_event(event const&) override {
    std::unique_lock hold(guard_);
    ++arrived_;
    open_.wait(hold, [&] { return is_open_; });
  }
  void open() {
    std::lock_guard const hold(guard_);
    is_open_ = true;
    open_.notify_all();
  }
  int arrived() {
    std::lock_guard const hold(guard_);
    return arrived_;
  }

 private:
  std::mutex guard_;
  std::condition_variable open_;
  bool is_open_ = false;
  int arrived_ = 0;
};

class thrower final : public observer {
 public:
  void on_event(event const&) override {
    ++calls;
    throw std::runtime_error("the user's own");
  }
  std::atomic<int> calls = 0;
};

TEST_P(conformance, EVENT_1_the_life_of_a_lease_is_told_in_order) {
  auto const seen = std::make_shared<recorder>();
  auto blocker = b_.acquire("x", {.ttl = ttl(), .identity = "blocker"});
  a_.observe(seen);
  pending waiter(a_, "x", with_ttl());
  ASSERT_TRUE(eventually([&] { return seen->count(event_kind::waiting) > 0; }));
  EXPECT_EQ(release(blocker), std::error_code{});
  auto held = finish(waiter);
  ASSERT_TRUE(eventually([&] { return seen->count(event_kind::renewed) > 0; }, 2 * ttl()));
  EXPECT_EQ(release(held), std::error_code{});
  ASSERT_TRUE(eventually([&] { return seen->count(event_kind::released) > 0; }));
  auto const events = seen->events();
  std::vector<event_kind> kinds;
  for (auto const& e : events) {
    EXPECT_EQ(e.name, "x");
    if (kinds.empty() || kinds.back() != e.kind) kinds.push_back(e.kind);
  }
  EXPECT_EQ(kinds, (std::vector{event_kind::waiting, event_kind::acquired, event_kind::renewed, event_kind::released}));
  ASSERT_TRUE(events.front().holder);
  EXPECT_EQ(events.front().holder->identity, "blocker");
  EXPECT_FALSE(events.back().code);
  if (fences()) {
    EXPECT_EQ(events.back().token, held.token());
  }
  EXPECT_EQ(seen->threads().size(), 1U);
  EXPECT_FALSE(seen->threads().contains(std::this_thread::get_id()));
}

TEST_P(conformance, EVENT_2_trouble_is_told_before_the_loss) {
  auto const seen = std::make_shared<recorder>();
  auto const held = a_.acquire("x", with_ttl());
  a_.observe(seen);
  NEEDS(fixture_->pause(a_), "pause a client");
  advance(ttl() + ttl() / 4);
  ASSERT_TRUE(eventually([&] { return seen->count(event_kind::lost) > 0; }));
  EXPECT_GT(seen->count(event_kind::jeopardy), 0U);
  EXPECT_EQ(seen->count(event_kind::lost), 1U);
  EXPECT_EQ(seen->events().back().kind, event_kind::lost);
  EXPECT_EQ(seen->events().back().code, errc::lost);
}

TEST_P(conformance, EVENT_3_an_eviction_is_told_as_one) {
  NEEDS(fences(), "evict by token");
  auto const seen = std::make_shared<recorder>();
  auto const held = a_.acquire("x", with_ttl());
  a_.observe(seen);
  b_.evict("x", held.token(), {.reason = "test"});
  ASSERT_TRUE(eventually([&] { return seen->count(event_kind::lost) > 0; }, ttl()));
  EXPECT_LE(seen->count(event_kind::evicted), 1U);
  if (GetParam().label != "sim" && !GetParam().folder.starts_with("red") && GetParam().folder != "cosmos") {
    EXPECT_EQ(seen->count(event_kind::evicted), 1U) << "this engine tells at once";
  }
}

TEST_P(conformance, EVENT_4_a_failed_release_is_told) {
  auto const seen = std::make_shared<recorder>();
  a_.observe(seen);
  {
    auto const held = a_.acquire("x", with_ttl());
    NEEDS(fixture_->pause(a_), "pause a client");
  }
  ASSERT_TRUE(eventually([&] { return seen->count(event_kind::released) > 0; }));
  EXPECT_TRUE(seen->events().back().code);
}

TEST_P(conformance, EVENT_5_an_observer_that_blocks_delays_nothing_and_costs_only_events) {
  auto const slow = std::make_shared<stubborn>();
  a_.observe(slow);
  for (int i = 0; i < 1200; ++i) EXPECT_TRUE(a_.try_acquire("x"));
  EXPECT_GT(a_.events_dropped(), 0U);
  EXPECT_LE(slow->arrived(), 1);
  slow->open();
  EXPECT_TRUE(eventually([&] { return slow->arrived() > 1000; }));
}

TEST_P(conformance, RENEW_12_a_blocked_observer_does_not_stop_renewal) {
  NEEDS(!fixture_->is_virtual(), "let virtual time pass while a callback blocks");
  auto const slow = std::make_shared<stubborn>();
  a_.observe(slow);
  auto const held = a_.acquire("x", with_ttl());
  advance(3 * ttl());
  EXPECT_TRUE(held.held());
  EXPECT_FALSE(b_.try_acquire("x", with_ttl()));
  slow->open();
}

TEST_P(conformance, RENEW_12_an_observer_that_throws_harms_nobody) {
  auto const bad = std::make_shared<thrower>();
  auto const good = std::make_shared<recorder>();
  a_.observe(bad);
  a_.observe(good);
  auto const held = a_.acquire("x", with_ttl());
  advance(ttl());
  EXPECT_TRUE(held.held());
  EXPECT_TRUE(eventually([&] { return good->count(event_kind::renewed) > 0; }, ttl()));
  EXPECT_GT(bad->calls, 0);
}

TEST_P(conformance, RENEW_12_a_loss_callback_may_release_and_acquire) {
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  std::atomic<bool> done = false;
  std::stop_callback const on_lost(held.lost(), [&] {
    std::error_code ec;
    held.release(ec);
    auto const other = a_.try_acquire("y", {}, std::nothrow);
    done = other.has_value() && *other;
  });
  EXPECT_TRUE(eventually([&] { return done.load(); }, 2 * ttl()));
}

TEST_P(conformance, EVENT_6_an_observer_that_is_gone_is_told_nothing) {
  auto seen = std::make_shared<recorder>();
  a_.observe(seen);
  seen.reset();
  EXPECT_TRUE(a_.try_acquire("x"));
  EXPECT_EQ(a_.events_dropped(), 0U);
}

}  // namespace
}  // namespace leasehold::conformance
