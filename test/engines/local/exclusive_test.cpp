// Decides whether an exclusive name has one holder, with growing tokens, and whether it ends as it should.
#include "engines/local/local_support.hpp"

#include <mutex>
#include <random>
#include <thread>

namespace leasehold::test {
namespace {

using exclusive = local_store;

TEST_F(exclusive, one_holder_and_growing_tokens) {
  auto const store = open();
  auto a = store.claim("x");
  auto b = store.claim("x");
  auto const first = try_once(*a);
  ASSERT_TRUE(first);
  EXPECT_FALSE(try_once(*b));
  EXPECT_FALSE(release(*a));
  auto const second = try_once(*b);
  ASSERT_TRUE(second);
  EXPECT_GT(*second, *first);
  EXPECT_FALSE(release(*b));
  auto const third = try_once(*a);  // a claim begins anew after a withdraw
  ASSERT_TRUE(third);
  EXPECT_GT(*third, *second);
  EXPECT_FALSE(release(*a));
}

TEST_F(exclusive, tokens_grow_over_all_names_and_processes) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  auto const first = try_once(*a);
  EXPECT_FALSE(release(*a));
  auto const child = holder("x");
  EXPECT_GT(board->value.load(), first.value());
  child->kill();
  auto const last = acquire(*a);
  EXPECT_GT(last.value(), board->value.load());
  EXPECT_FALSE(release(*a));
}

TEST_F(exclusive, OWN_1_a_late_release_does_not_free_anothers_grant) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 10ms});
  auto b = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  ASSERT_TRUE(acquire(*b));  // after the TTL
  EXPECT_TRUE(a->revoked());
  EXPECT_EQ(release(*a), errc::not_owner);
  EXPECT_FALSE(b->revoked());
  EXPECT_FALSE(release(*a)) << "idempotent";
  auto c = store.claim("x");
  EXPECT_FALSE(try_once(*c));
  EXPECT_FALSE(release(*b));
}

TEST_F(exclusive, OWN_2_a_release_after_the_ttl_says_expired_and_frees) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 10ms});
  ASSERT_TRUE(try_once(*a));
  ASSERT_TRUE(eventually([&] { return store.inspect("x").state == lock_state::overdue; }));
  EXPECT_EQ(release(*a), errc::expired);
  EXPECT_EQ(store.inspect("x").state, lock_state::free);
  // Taken over and released again before the late release.
  ASSERT_TRUE(try_once(*a));
  auto b = store.claim("x");
  ASSERT_TRUE(acquire(*b));
  EXPECT_FALSE(release(*b));
  EXPECT_EQ(release(*a), errc::expired);
}

TEST_F(exclusive, OWN_7_another_thread_of_the_same_process_waits) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  std::atomic<bool> got{false};
  std::thread other([&] {
    auto b = store.claim("x");
    EXPECT_TRUE(acquire(*b));
    got = true;
    EXPECT_FALSE(release(*b));
  });
  ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
  EXPECT_FALSE(got);
  EXPECT_FALSE(release(*a));
  other.join();
  EXPECT_TRUE(got);
}

TEST_F(exclusive, OWN_10_an_evicted_holder_learns_at_once_and_is_fenced) {
  auto const store = open();
  auto a = store.claim("x");
  auto const old = try_once(*a).value();
  std::atomic<int> told{0};
  store.backend().on_revocation([&] { ++told; });
  EXPECT_EQ(store.evict("x", old + 1, false), errc::not_owner);
  EXPECT_FALSE(a->revoked());
  EXPECT_FALSE(store.evict("x", old, false));
  EXPECT_TRUE(a->revoked());
  EXPECT_TRUE(eventually([&] { return told == 1; }));
  EXPECT_EQ(store.evict("x", old, false), errc::not_owner);
  auto b = store.claim("x");
  EXPECT_GT(try_once(*b).value(), old);
  EXPECT_EQ(release(*a), errc::not_owner);
  EXPECT_FALSE(release(*b));
  store.backend().on_revocation({});
}

TEST_F(exclusive, OWN_10_with_a_ttl_the_name_stays_busy_until_its_granted_end) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 200ms});
  auto const old = try_once(*a).value();
  auto const end = store.inspect("x").holders.at(0).expires_at.value();
  EXPECT_FALSE(store.evict("x", old, false));
  EXPECT_TRUE(a->revoked());
  EXPECT_EQ(a->renew_now()->error(), errc::lost);
  auto const info = store.inspect("x");
  EXPECT_EQ(info.state, lock_state::held_off);
  EXPECT_EQ(info.free_at, end);
  auto b = store.claim("x");
  EXPECT_FALSE(try_once(*b));
  EXPECT_TRUE(acquire(*b));
  EXPECT_GE(clock::now(), end);
  EXPECT_FALSE(release(*b));
  // --now
  ASSERT_TRUE(try_once(*b));
  auto c = store.claim("x", {.ttl = 10s});
  EXPECT_FALSE(store.evict("x", store.inspect("x").holders.at(0).token.value(), true));
  EXPECT_TRUE(try_once(*c));
  EXPECT_FALSE(store.evict("x", store.inspect("x").holders.at(0).token.value(), true));
  EXPECT_TRUE(try_once(*b));
  static_cast<void>(release(*c));
  static_cast<void>(release(*b));
}

TEST_F(exclusive, OWN_10_a_grant_that_is_still_being_written_down_is_not_taken_away) {
  auto const store = open();
  auto a = store.claim("x");
  auto const token = try_once(*a).value();
  auto const found = local::find_name(store.session().mem(), local::hash_name("x"), "x");
  auto& stamp = store.session().mem().record_at(found.which).stamp;
  stamp = token - 1;  // as between the grant and its stamp
  EXPECT_EQ(store.evict("x", token, true), errc::unavailable);
  EXPECT_FALSE(a->revoked());
  stamp = token;
  EXPECT_FALSE(store.evict("x", token, true));
  EXPECT_EQ(release(*a), errc::not_owner);
}

TEST_F(exclusive, RENEW_2_renewal_never_resurrects) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 10ms});
  ASSERT_TRUE(try_once(*a));
  EXPECT_EQ(a->renew_now()->value(), 10ms);
  ASSERT_TRUE(eventually([&] { return store.inspect("x").state == lock_state::overdue; }));
  EXPECT_EQ(a->renew_now()->error(), errc::lost) << "even if nobody took it";
  EXPECT_EQ(release(*a), errc::expired);
}

TEST_F(exclusive, RENEW_2_a_lease_that_is_being_taken_over_cannot_be_renewed) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 10s});
  ASSERT_TRUE(try_once(*a));
  auto& r = store.session().mem().record_at(local::find_name(store.session().mem(), local::hash_name("x"), "x").which);
  r.deadline |= local::taken_bit;  // as between a takeover's two steps
  EXPECT_EQ(a->renew_now()->error(), errc::lost);
  EXPECT_FALSE(release(*a));
}

TEST_F(exclusive, RENEW_2_takeover_and_renewal_never_both_win) {
  auto const store = open();
  std::atomic<bool> done{false};
  std::atomic<int> takeovers{0};
  std::mutex guard;
  std::uint64_t latest = 0;      // the newest grant,
  time_point latest_known_at{};  // and when it was complete
  auto contend = [&](std::minstd_rand chance) {
    auto c = store.claim("x", {.ttl = 10ms});
    while (!done) {
      auto const token = try_once(*c);
      if (!token) continue;
      {
        std::scoped_lock lock(guard);
        latest = std::max(latest, *token);
        latest_known_at = clock::now();
      }
      for (;;) {
        // Mostly just before or just after the end, where renewal and takeover meet.
        std::this_thread::sleep_for(std::chrono::microseconds(9'000 + chance() % 1'500));
        auto const asked_at = clock::now();
        if (!c->renew_now()->has_value()) break;
        std::scoped_lock lock(guard);
        ASSERT_FALSE(latest > *token && latest_known_at < asked_at + 10ms) << "renewed, and yet another was granted";
      }
      takeovers += release(*c) == errc::not_owner ? 1 : 0;
    }
  };
  std::thread one(contend, std::minstd_rand(1));
  std::thread two(contend, std::minstd_rand(2));
  EXPECT_TRUE(eventually([&] { return takeovers > 30; }));
  done = true;
  one.join();
  two.join();
}

TEST_F(exclusive, a_ttl_lease_that_is_renewed_is_kept) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 500ms});
  auto b = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  for (auto const end = clock::now() + 1200ms; clock::now() < end; std::this_thread::sleep_for(5ms)) {
    ASSERT_TRUE(a->renew_now()->has_value());
    ASSERT_FALSE(try_once(*b));
  }
  EXPECT_FALSE(release(*a));
}

TEST_F(exclusive, a_name_is_held_off_after_a_release_that_asks_for_it) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  auto const before = clock::now();
  EXPECT_FALSE(release(*a, 50ms));
  EXPECT_EQ(store.inspect("x").state, lock_state::held_off);
  auto b = store.claim("x");
  auto const refused = *b->attempt_once_now();
  ASSERT_TRUE(refused.has_value());
  auto const hint = std::get<spi::busy>(*refused).retry_after;
  EXPECT_GT(hint, 0ms);
  EXPECT_LE(hint, 50ms);
  EXPECT_TRUE(acquire(*b));
  EXPECT_GE(clock::now() - before, 50ms);
  EXPECT_FALSE(release(*b));
}

TEST_F(exclusive, OWN_11_a_detached_lease_is_adopted_with_its_token_or_ends_by_its_ttl) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 300ms});
  auto const token = try_once(*a).value();
  auto const ticket = run(a->detach()).value();
  EXPECT_FALSE(release(*a)) << "it is not this claim's any more";
  spi::claim_spec spec{};
  spec.name = "x";
  EXPECT_EQ(run(store.backend().adopt(spec, "local1-1-1-0")).error(), errc::lost);
  EXPECT_EQ(run(store.backend().adopt(spec, "nonsense")).error(), errc::bad_option);
  auto adopted = run(store.backend().adopt(spec, ticket));
  ASSERT_TRUE(adopted.has_value());
  EXPECT_EQ(adopted->grant.token, token);
  EXPECT_LE(adopted->grant.ttl.value(), 300ms);
  EXPECT_EQ(run(store.backend().adopt(spec, ticket)).error(), errc::lost) << "a second time";
  EXPECT_TRUE(adopted->claim->renew_now()->has_value());
  auto const again = run(adopted->claim->detach()).value();
  auto b = store.claim("x");
  EXPECT_TRUE(acquire(*b)) << "after the TTL";
  EXPECT_EQ(run(store.backend().adopt(spec, again)).error(), errc::lost);
  EXPECT_FALSE(release(*b));
  auto c = store.claim("x");
  ASSERT_TRUE(try_once(*c));
  EXPECT_EQ(run(c->detach()).error(), errc::unsupported) << "without a TTL it would never end";
  EXPECT_FALSE(release(*c));
}

TEST_F(exclusive, PROC_3_a_lock_outlives_the_thread_that_took_it) {
  auto const store = open();
  auto a = store.claim("x");
  std::thread([&] { ASSERT_TRUE(try_once(*a)); }).join();
  auto b = store.claim("x");
  EXPECT_FALSE(try_once(*b));
  EXPECT_FALSE(a->revoked());
  EXPECT_FALSE(release(*a));
  EXPECT_TRUE(try_once(*b));
  EXPECT_FALSE(release(*b));
}

TEST_F(exclusive, PROC_2_many_threads_and_processes_never_meet_inside) {
  LEASEHOLD_NEEDS_FORK();
  auto work = [&](opened_store const& store) {
    std::uint64_t last = 0;
    for (int i = 0; i < 2000; ++i) {
      auto c = store.claim("x");
      auto const token = acquire(*c);
      ASSERT_TRUE(token);
      EXPECT_GT(*token, last);
      last = *token;
      if (board->inside.fetch_add(1) != 0) board->worst = 1;
      EXPECT_GT(*token, board->value.exchange(*token)) << "tokens grow from holder to holder";
      board->counter++;
      board->inside--;
      ASSERT_FALSE(release(*c));
    }
  };
  auto two_threads = [&] {
    auto const store = open();
    std::thread one([&] { work(store); });
    work(store);
    one.join();
  };
  child_process other(two_threads);
  two_threads();
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(board->worst, 0);
  EXPECT_EQ(board->counter, 8000U);
}

TEST_F(exclusive, others_see_who_holds_and_why) {
  auto const store = open();
  auto a = store.claim("jobs/nightly", {.ttl = 10s, .identity = "worker-7", .reason = "backup"});
  auto const token = try_once(*a).value();
  auto const info = store.inspect("jobs/nightly");
  ASSERT_EQ(info.state, lock_state::held);
  ASSERT_EQ(info.holders.size(), 1U);
  auto const& who = info.holders[0];
  EXPECT_EQ(who.identity, "worker-7");
  EXPECT_EQ(who.reason, "backup");
  EXPECT_EQ(who.pid, ::getpid());
  EXPECT_EQ(who.token, token);
  EXPECT_EQ(who.ttl, 10s);
  EXPECT_TRUE(who.acquired_at && who.expires_at);
  auto b = store.claim("other");
  ASSERT_TRUE(try_once(*b));
  auto const all = store.list();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].name, "jobs/nightly");
  EXPECT_EQ(all[1].holders.at(0).reason, "") << "metadata of an earlier grant is never shown";
  EXPECT_EQ(store.list("jobs/").size(), 1U);
  EXPECT_FALSE(release(*a));
  EXPECT_FALSE(release(*b));
  EXPECT_TRUE(store.list().empty());
}

TEST_F(exclusive, a_closed_backend_grants_nothing_and_still_releases) {
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  store.backend().close();
  store.backend().close();
  auto b = store.claim("y");
  EXPECT_EQ(b->attempt_now()->error(), errc::cancelled);
  EXPECT_FALSE(release(*a));
}

}  // namespace
}  // namespace leasehold::test
