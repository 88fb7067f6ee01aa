// Decides whether many threads at once see the history of one correct lock.
#include "conformance/suite.hpp"

#include "support/history.hpp"

#include <algorithm>
#include <iterator>
#include <random>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

/// One acquisition, held for an instant; what it saw, on the real clock: the order of things is checked here, not time.
test::operation take_once(store const& on, std::uint32_t client, acquire_options const& options) {
  test::operation o{.client = client, .name = "x", .mode = options.mode, .invoked = clock::now()};
  std::error_code ec;
  auto held = on.acquire("x", options, {}, ec);
  o.returned = clock::now();
  if (!held) {
    o.outcome = ec == errc::timed_out ? test::outcome::refused : test::outcome::unknown;
    o.gone_by = o.returned;
    return o;
  }
  o.outcome = test::outcome::granted;
  if (held.has_token()) o.token = held.token();
  std::this_thread::yield();
  o.sightings.push_back({clock::now(), held.held()});
  o.held_until = o.sightings.back().held ? o.sightings.back().at : o.returned;
  held.release(ec);
  o.gone_by = ec ? time_point::max() : clock::now();
  return o;
}

std::vector<test::operation> hammer(fixture& in, std::vector<mode> const& modes, int rounds) {
  constexpr std::uint32_t threads = 6;
  std::vector<std::vector<test::operation>> seen(threads);
  std::vector<std::future<void>> running;
  for (std::uint32_t id = 0; id < threads; ++id) {
    running.push_back(std::async(std::launch::async, [&, id] {
      auto const client = in.client();
      std::minstd_rand chance(id + 1);
      for (int n = 0; n < rounds; ++n) {
        acquire_options options{.ttl = in.ttl(), .mode = modes[chance() % modes.size()]};
        if (chance() % 4 == 0) options.wait = 0s;
        seen[id].push_back(take_once(client, id, options));
      }
    }));
  }
  for (auto& r : running) {
    while (r.wait_for(20ms) != std::future_status::ready) in.advance(in.is_virtual() ? 100ms : 1ms);
    r.get();
  }
  std::vector<test::operation> all;
  for (auto const& s : seen) all.insert(all.end(), s.begin(), s.end());
  return all;
}

TEST_P(conformance, OWN_12_concurrent_holders_exclude_each_other_and_tokens_grow) {
  auto const history = hammer(*fixture_, {mode::exclusive()}, 150);
  EXPECT_EQ(test::to_string(test::check_history(history, {.tokens = fences(), .refusals = true})), "");
  EXPECT_GT(std::ranges::count(history, test::outcome::granted, &test::operation::outcome), 300);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, SHARED_8_concurrent_readers_and_writers_keep_apart) {
  NEEDS(traits().shared, "share a name among readers");
  auto const history = hammer(*fixture_, {mode::exclusive(), mode::reader(), mode::reader()}, 150);
  EXPECT_EQ(test::to_string(test::check_history(history, {.tokens = fences()})), "");
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, SHARED_4_concurrent_permits_are_never_more_than_counted) {
  NEEDS(traits().semaphore, "count permits");
  auto const history = hammer(*fixture_, {mode::semaphore(2)}, 150);
  EXPECT_EQ(test::to_string(test::check_history(history, {.tokens = fences()})), "");
  EXPECT_TRUE(is_free("x"));
}

/// Terms of one candidate, one after the other, as it saw them.
std::vector<test::operation> lead_often(fixture& in, std::uint32_t id, int terms) {
  auto const identity = std::to_string(id);
  election candidate(in.client(), "x", {.ttl = in.ttl(), .pause = {}, .identity = identity});
  std::vector<test::operation> seen;
  for (int n = 0; n < terms; ++n) {
    test::operation o{.client = id, .name = "x", .mode = mode::exclusive(), .invoked = clock::now()};
    auto mine = candidate.campaign();
    o.returned = clock::now();
    o.outcome = test::outcome::granted;
    o.token = mine.number();
    std::this_thread::yield();
    o.sightings.push_back({clock::now(), mine.held()});
    o.held_until = o.sightings.back().held ? o.sightings.back().at : o.returned;
    mine.resign();
    o.gone_by = clock::now();
    seen.push_back(o);
  }
  return seen;
}

TEST_P(conformance, ELECT_3_terms_of_candidates_at_random_are_the_history_of_one_place) {
  NEEDS(fences(), "order terms");
  constexpr std::uint32_t candidates = 4;
  std::vector<std::future<std::vector<test::operation>>> running;
  for (std::uint32_t id = 0; id < candidates; ++id) {
    running.push_back(std::async(std::launch::async, [&, id] { return lead_often(*fixture_, id, 40); }));
  }
  auto const is_running = [](auto const& r) { return r.wait_for(1ms) != std::future_status::ready; };
  while (std::ranges::any_of(running, is_running)) advance(fixture_->is_virtual() ? 100ms : 1ms);
  std::vector<test::operation> all;
  for (auto& r : running) std::ranges::copy(r.get(), std::back_inserter(all));
  EXPECT_EQ(test::to_string(test::check_history(all)), "");
}

}  // namespace
}  // namespace leasehold::conformance
