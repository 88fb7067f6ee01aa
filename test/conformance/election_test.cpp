// Decides whether one candidate leads at a time, terms are ordered for all who see them, and every end is told.
#include "conformance/suite.hpp"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

/// A campaign on a thread of its own.
std::future<term> stand(election& who, std::stop_token stop = {}) {
  return std::async(std::launch::async, [&who, stop] { return who.campaign(stop); });
}

template <class T>
bool is_ready(std::future<T> const& f) {
  return f.wait_for(1ms) == std::future_status::ready;
}

TEST_P(conformance, ELECT_1_the_end_of_a_term_is_told_before_the_next_begins) {
  NEEDS(fences(), "order terms");
  election mine(a_, "x", {.ttl = ttl(), .identity = "a"});
  election theirs(b_, "x", {.ttl = ttl(), .identity = "b"});
  auto first = mine.campaign();
  std::atomic<bool> told{false};
  std::stop_callback const on_lost(first.lost(), [&] {
    std::this_thread::yield();
    told = true;
  });
  // Cut off from the engine it ends by its deadline; where nothing can be cut, an eviction is known at once.
  bool const cut = fixture_->pause(a_);
  NEEDS(cut || traits().survives_holder_crash_at_once, "lose a term without being asked");
  if (!cut) b_.evict("x", first.number(), {.reason = "test", .now = true});
  auto next = stand(theirs);
  EXPECT_TRUE(eventually([&] { return is_ready(next); }, 3 * ttl()));
  auto const second = next.get();
  EXPECT_TRUE(told);
  EXPECT_FALSE(first.held());
  EXPECT_GT(second.number(), first.number());
  if (cut) fixture_->resume(a_);
}

TEST_P(conformance, ELECT_2_leader_and_term_are_seen_together) {
  election candidate(a_, "x", {.ttl = ttl(), .identity = "anna", .reason = "to lead"});
  election follower(b_, "x", {.ttl = ttl()});
  EXPECT_FALSE(follower.leader());
  auto mine = candidate.campaign();
  auto const seen = follower.leader();
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->identity, "anna");
  EXPECT_EQ(seen->term, fences() ? std::optional(mine.number()) : std::nullopt);
  mine.resign();
  EXPECT_FALSE(mine);
  EXPECT_FALSE(follower.leader());
}

TEST_P(conformance, ELECT_3_observers_are_told_terms_in_order) {
  NEEDS(fences(), "number terms");
  NEEDS(!fixture_->is_virtual(), "let an observer look by itself");
  election here(a_, "x", {.ttl = ttl_long(), .identity = "a"});
  election there(b_, "x", {.ttl = ttl_long(), .identity = "b"});
  std::mutex guard;
  std::vector<std::uint64_t> terms;
  std::jthread follower([&](std::stop_token const& stop) {
    there.observe(
        [&](std::optional<leader_info> const& who) {
          std::lock_guard const hold(guard);
          if (who) terms.push_back(who->term.value_or(0));
        },
        stop, 1ms);
  });
  std::uint64_t last = 0;
  for (int n = 0; n < 6; ++n) {
    auto& candidate = n % 2 == 0 ? here : there;
    auto const mine = candidate.campaign();
    last = mine.number();
    if (n == 5) {
      EXPECT_TRUE(eventually([&] {
        std::lock_guard const hold(guard);
        return !terms.empty() && terms.back() == last;
      }));
    }
  }
  follower.request_stop();
  EXPECT_TRUE(eventually([&] {
    std::lock_guard const hold(guard);
    return std::is_sorted(terms.begin(), terms.end());
  }));
}

TEST_P(conformance, ELECT_3_observers_are_told_of_changes_alone) {
  NEEDS(!fixture_->is_virtual(), "let an observer look by itself");
  election here(a_, "x", {.ttl = ttl_long(), .identity = "a"});
  election there(b_, "x");
  std::mutex guard;
  std::vector<std::string> told;
  std::jthread follower([&](std::stop_token const& stop) {
    there.observe(
        [&](std::optional<leader_info> const& who) {
          std::lock_guard const hold(guard);
          told.push_back(who ? who->identity : "nobody");
        },
        stop, 1ms);
  });
  auto const have = [&](std::vector<std::string> const& wanted) {
    std::lock_guard const hold(guard);
    return told == wanted;
  };
  fixture_->advance(30ms);  // many looks at an empty place
  EXPECT_TRUE(eventually([&] { return have({"nobody"}); }));
  auto mine = here.campaign();
  fixture_->advance(30ms);
  EXPECT_TRUE(eventually([&] { return have({"nobody", "a"}); }));
  mine.resign();
  fixture_->advance(30ms);
  EXPECT_TRUE(eventually([&] { return have({"nobody", "a", "nobody"}); }));
}

TEST_P(conformance, ELECT_4_a_resignation_while_cut_off_is_bounded_and_the_place_is_free_after_the_ttl) {
  election mine(a_, "x", {.ttl = ttl()});
  auto first = mine.campaign();
  NEEDS(fixture_->pause(a_), "cut a client off");
  auto resigning = std::async(std::launch::async, [&] { first.resign(); });
  EXPECT_TRUE(eventually([&] { return is_ready(resigning); }, 2 * ttl()));
  EXPECT_FALSE(first);
  election theirs(b_, "x", {.ttl = ttl()});
  auto next = stand(theirs);
  EXPECT_TRUE(eventually([&] { return is_ready(next); }, 3 * ttl()));
  EXPECT_TRUE(next.get().held());
  fixture_->resume(a_);
}

TEST_P(conformance, ELECT_5_a_term_lasts_its_minimum) {
  election mine(a_, "x", {.ttl = ttl(), .minimum_term = ttl() / 2});
  election theirs(b_, "x", {.ttl = ttl()});
  auto const from = now();
  mine.campaign().resign();
  auto next = stand(theirs);
  EXPECT_TRUE(eventually([&] { return is_ready(next); }, 3 * ttl()));
  EXPECT_TRUE(next.get().held());
  EXPECT_GE(now() - from, ttl() * 4 / 10);
}

TEST_P(conformance, ELECT_6_lead_runs_the_work_for_one_term) {
  election mine(a_, "x", {.ttl = ttl(), .pause = 0s});
  bool led = false;
  EXPECT_EQ(mine.lead([&](term& now_leading, std::stop_token const& stop) {
    led = now_leading.held() && !stop.stop_requested();
    EXPECT_FALSE(is_free("x"));
  }),
            term_end::finished);
  EXPECT_TRUE(led);
  EXPECT_TRUE(is_free("x"));
  EXPECT_THROW(mine.lead([](term&, std::stop_token const&) { throw std::runtime_error("broken"); }),
               std::runtime_error);
  EXPECT_TRUE(is_free("x")) << "resigned";
}

TEST_P(conformance, ELECT_6_the_work_is_asked_to_return_when_the_term_is_lost) {
  NEEDS(fences(), "evict by token");
  election mine(a_, "x", {.ttl = ttl()});
  std::atomic<std::uint64_t> number{0};
  auto leading = std::async(std::launch::async, [&] {
    return mine.lead([&](term& own, std::stop_token const& stop) {
      number = own.number();
      std::atomic<bool> asked{false};
      std::stop_callback const ask(stop, [&] {
        asked = true;
        asked.notify_all();
      });
      asked.wait(false);
    });
  });
  ASSERT_TRUE(eventually([&] { return number != 0; }));
  b_.evict("x", number, {.reason = "test", .now = true});
  EXPECT_TRUE(eventually([&] { return is_ready(leading); }, 3 * ttl()));
  EXPECT_EQ(leading.get(), term_end::lost);
}

TEST_P(conformance, ELECT_6_stop_ends_standing_and_leading) {
  auto const blocker = b_.acquire("x", {.ttl = ttl_long()});
  election mine(a_, "x", {.ttl = ttl_long()});
  std::stop_source stop;
  auto leading = std::async(std::launch::async, [&] {
    return mine.lead([](term&, std::stop_token const&) { FAIL() << "elected beside a leader"; }, stop.get_token());
  });
  ASSERT_TRUE(await_waiters("x", 1));
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return is_ready(leading); }));
  EXPECT_EQ(leading.get(), term_end::stopped);
}

}  // namespace
}  // namespace leasehold::conformance
