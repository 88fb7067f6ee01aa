// Decides how waits end: in order, in time, without leaks, whatever becomes of wake-ups and of other waiters.
#include "conformance/suite.hpp"

#include <algorithm>
#include <memory>
#include <vector>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, WAIT_1_a_lost_wake_up_costs_at_most_one_bounded_poll) {
  auto held = a_.acquire("x", with_ttl());
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  fixture_->advance(1ms);  // until it knows that it stands in line: a reply that is lost costs more than a wake-up
  NEEDS(fixture_->pause(b_), "pause a client");
  EXPECT_EQ(release(held), std::error_code{});
  fixture_->resume(b_);
  auto const from = now();
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  EXPECT_LE(next.acquired_at() - from, 1500ms);
}

TEST_P(conformance, WAIT_2_a_release_wakes_the_waiter_without_a_poll) {
  NEEDS(traits().waiting != waiting::polling, "wake waiters");
  duration slowest{};
  for (int round = 0; round < 20; ++round) {
    auto held = a_.acquire("x", {.ttl = ttl_long()});
    pending waiter(b_, "x", {.ttl = ttl_long()});
    ASSERT_TRUE(await_waiters("x", 1));
    auto const from = clock::now();
    EXPECT_EQ(release(held), std::error_code{});
    ASSERT_TRUE(waiter.is_done(5s));
    slowest = std::max<duration>(slowest, clock::now() - from);
    EXPECT_TRUE(waiter.take());
  }
  EXPECT_LT(slowest, 500ms) << "a poll takes a second";
}

TEST_P(conformance, WAIT_2_however_many_names_one_client_waits_for_each_release_wakes_its_waiter) {
  NEEDS(traits().waiting != waiting::polling, "wake waiters");
  constexpr std::size_t names = 80;
  auto const name = [](std::size_t i) { return "x" + std::to_string(i); };
  std::vector<lease> held;
  std::vector<std::unique_ptr<pending>> waiters;
  for (std::size_t i = 0; i < names; ++i) {
    held.push_back(a_.acquire(name(i), {.ttl = ttl_long()}));
    waiters.push_back(std::make_unique<pending>(b_, name(i), acquire_options{.ttl = ttl_long()}));
  }
  for (std::size_t i = 0; i < names; ++i) ASSERT_TRUE(await_waiters(name(i), 1));
  std::vector<duration> took;
  for (std::size_t i = 0; i < names; ++i) {
    auto const from = clock::now();
    EXPECT_EQ(release(held[i]), std::error_code{});
    ASSERT_TRUE(waiters[i]->is_done(5s)) << "virtual time stands still: a poll would never come";
    took.push_back(clock::now() - from);
    EXPECT_TRUE(waiters[i]->take());
  }
  std::ranges::nth_element(took, took.begin() + names / 2);
  EXPECT_LT(took[names / 2], 250ms) << "a poll takes half a second on average";
}

TEST_P(conformance, WAIT_1_a_hand_to_hand_race_loses_no_wake_up) {
  NEEDS(traits().waiting != waiting::polling, "wake waiters");
  constexpr int rounds = 1500;
  auto const play = [this](store const& on) {
    for (int i = 0; i < rounds; ++i) on.acquire("x", {.ttl = ttl_long()}).release();
  };
  auto one = std::async(std::launch::async, play, a_);
  auto two = std::async(std::launch::async, play, b_);
  auto const end = clock::now() + 60s;
  auto const from = now();
  // Virtual time stands still meanwhile: a waiter that missed its wake-up would wait for ever.
  bool const in_time = one.wait_for(end - clock::now()) == std::future_status::ready &&
                       two.wait_for(end - clock::now()) == std::future_status::ready;
  EXPECT_TRUE(in_time);
  if (!fixture_->is_virtual()) {
    EXPECT_LT(now() - from, 10s);
  }
  while (one.wait_for(1ms) != std::future_status::ready || two.wait_for(1ms) != std::future_status::ready) advance(1s);
}

TEST_P(conformance, WAIT_3_each_release_lets_exactly_one_through_at_a_bounded_cost) {
  constexpr std::size_t herd = 24;
  auto held = std::make_unique<lease>(a_.acquire("x", {.ttl = ttl_long()}));
  std::vector<std::unique_ptr<pending>> waiters;
  for (std::size_t i = 0; i < herd; ++i)
    waiters.push_back(std::make_unique<pending>(b_, "x", acquire_options{.ttl = ttl_long()}));
  ASSERT_TRUE(await_waiters("x", herd));
  auto const before = fixture_->requests();
  held->release();
  for (std::size_t served = 0; served < herd; ++served) {
    std::vector<std::unique_ptr<pending>>::iterator next;
    ASSERT_TRUE(eventually([&] {
      next = std::ranges::find_if(waiters, [](auto const& w) { return w && w->is_done(); });
      return next != waiters.end();
    }));
    auto const through = std::ranges::count_if(waiters, [](auto const& w) { return w && w->is_done(); });
    EXPECT_EQ(through, 1);
    EXPECT_TRUE((*next)->take().held());
    next->reset();
  }
  if (before && GetParam().label == "mem") {
    EXPECT_LE(*fixture_->requests() - *before, herd * 6);
  }
}

TEST_P(conformance, WAIT_4_a_waiter_that_lost_its_place_is_not_granted_but_waits_anew) {
  auto held = a_.acquire("x", with_ttl());
  auto const late = fixture_->start_party("x", {.ttl = 3 * ttl(), .identity = "late"});
  NEEDS(late != nullptr, "run a second party");
  ASSERT_TRUE(await_waiters("x", 1));
  late->pause();
  EXPECT_EQ(release(held), std::error_code{});
  // Its place ends once it does not come for it; whoever comes then is not behind it any more.
  pending next(b_, "x", with_ttl());
  auto got = finish(next);
  ASSERT_TRUE(got);
  late->resume();
  EXPECT_TRUE(await_waiters("x", 1)) << "it waits again";
  auto const seen = b_.inspect("x");
  ASSERT_EQ(seen.holders.size(), 1U) << "and was not granted what it had waited for";
  EXPECT_TRUE(got.held());
  auto const before = got.has_token() ? got.token() : 0;
  EXPECT_EQ(release(got), std::error_code{});
  auto const token = late->await_grant();
  EXPECT_TRUE(late->held());
  if (fences()) {
    EXPECT_GT(token, before);
  }
}

TEST_P(conformance, WAIT_5_a_grant_that_races_with_a_stop_is_taken_or_given_back_never_leaked) {
  for (int round = 0; round < 100; ++round) {
    auto held = a_.acquire("x", with_ttl());
    pending waiter(b_, "x", with_ttl());
    ASSERT_TRUE(await_waiters("x", 1));
    std::thread stopper([&] { waiter.stop(); });
    EXPECT_EQ(release(held), std::error_code{});
    stopper.join();
    auto got = finish(waiter);
    EXPECT_EQ(static_cast<bool>(got), !waiter.error());
    if (got) {
      EXPECT_TRUE(got.held());
      EXPECT_EQ(release(got), std::error_code{});
    } else {
      EXPECT_EQ(waiter.error(), errc::cancelled);
    }
    ASSERT_TRUE(is_free("x")) << "round " << round;
  }
}

TEST_P(conformance, WAIT_6_a_dead_waiter_at_the_head_is_skipped) {
  auto held = a_.acquire("x", with_ttl());
  auto const dead = fixture_->start_party("x", {.ttl = ttl()});
  NEEDS(dead != nullptr, "run a second party");
  ASSERT_TRUE(await_waiters("x", 1));
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 2));
  dead->kill();
  EXPECT_EQ(release(held), std::error_code{});
  auto const from = now();
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  EXPECT_LE(next.acquired_at() - from, ttl());
}

TEST_P(conformance, WAIT_7_waiters_are_served_in_the_order_of_their_arrival) {
  NEEDS(traits().waiting == waiting::fifo, "keep a fair line");
  auto held = a_.acquire("x", {.ttl = ttl_long()});
  std::vector<std::unique_ptr<pending>> line;
  for (std::size_t i = 0; i < 6; ++i) {
    line.push_back(std::make_unique<pending>(i % 2 == 0 ? a_ : b_, "x", acquire_options{.ttl = ttl_long()}));
    ASSERT_TRUE(await_waiters("x", i + 1));
  }
  EXPECT_FALSE(b_.try_acquire("x")) << "nobody barges";
  EXPECT_EQ(release(held), std::error_code{});
  for (std::size_t i = 0; i < line.size(); ++i) {
    auto next = finish(*line[i]);
    ASSERT_TRUE(next);
    for (auto later = i + 1; later < line.size(); ++later) EXPECT_FALSE(line[later]->is_done());
    EXPECT_EQ(release(next), std::error_code{});
  }
}

TEST_P(conformance, WAIT_9_no_wait_is_one_try_that_leaves_nothing_behind) {
  auto const held = a_.acquire("x", {.identity = "the holder"});
  std::error_code ec;
  diagnostics why;
  EXPECT_FALSE(b_.acquire("x", {.wait = duration::zero()}, {}, ec, &why));
  EXPECT_EQ(ec, errc::timed_out);
  ASSERT_NE(why.holder(), nullptr);
  EXPECT_EQ(why.holder()->identity, "the holder");
  EXPECT_TRUE(a_.inspect("x").waiters.empty());
}

TEST_P(conformance, WAIT_9_a_wait_ends_in_time_and_leaves_the_line) {
  auto const held = a_.acquire("x", {.ttl = ttl_long(), .identity = "the holder"});
  auto const wait = fixture_->is_virtual() ? duration(3s) : duration(150ms);
  auto const from = now();
  pending waiter(b_, "x", {.ttl = ttl(), .wait = wait});
  ASSERT_TRUE(await_waiters("x", 1));
  EXPECT_FALSE(finish(waiter));
  EXPECT_EQ(waiter.error(), errc::timed_out);
  EXPECT_GE(now() - from, wait);
  EXPECT_LE(now() - from, wait + 2s);
  ASSERT_NE(waiter.details().holder(), nullptr);
  EXPECT_EQ(waiter.details().holder()->identity, "the holder");
  EXPECT_TRUE(a_.inspect("x").waiters.empty());
}

TEST_P(conformance, WAIT_10_spurious_wake_ups_are_harmless) {
  auto held = a_.acquire("x", with_ttl());
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  for (int i = 0; i < 20; ++i) {
    NEEDS(fixture_->pause(b_) && fixture_->resume(b_), "wake a waiter for nothing");
  }
  EXPECT_FALSE(waiter.is_done(5ms));
  EXPECT_TRUE(held.held());
  EXPECT_EQ(release(held), std::error_code{});
  EXPECT_TRUE(finish(waiter));
}

TEST_P(conformance, WAIT_11_an_expiry_lets_the_next_in_without_anybodys_help) {
  auto const held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  EXPECT_GE(next.acquired_at(), held.deadline());
  EXPECT_LE(next.acquired_at(), held.acquired_at() + ttl() + 2s);
}

}  // namespace
}  // namespace leasehold::conformance
