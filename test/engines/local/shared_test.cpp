// Decides whether readers, writers and permits keep to their rules.
#include "engines/local/local_support.hpp"

#include <thread>

namespace leasehold::test {
namespace {

using shared = local_store;
constexpr wish reading{.mode = mode::reader()};
constexpr wish permit(std::uint32_t n) { return {.mode = mode::semaphore(n)}; }

TEST_F(shared, readers_share_and_a_writer_waits_for_all_of_them) {
  auto const store = open();
  auto r1 = store.claim("x", reading);
  auto r2 = store.claim("x", reading);
  auto w = store.claim("x");
  ASSERT_TRUE(try_once(*r1));
  ASSERT_TRUE(try_once(*r2));
  EXPECT_EQ(store.inspect("x").holders.size(), 2U);
  EXPECT_FALSE(try_and_queue(*w));
  EXPECT_FALSE(release(*r1));
  EXPECT_FALSE(try_and_queue(*w));
  EXPECT_FALSE(release(*r2));
  EXPECT_TRUE(try_and_queue(*w));
  EXPECT_FALSE(try_once(*r1));
  EXPECT_FALSE(release(*w));
  EXPECT_TRUE(try_once(*r1));
  EXPECT_FALSE(release(*r1));
}

TEST_F(shared, SHARED_1_a_reader_that_wants_to_write_waits_for_itself_and_can_give_up) {
  auto const store = open();
  auto r = store.claim("x", reading);
  ASSERT_TRUE(try_once(*r));
  auto w = store.claim("x");
  EXPECT_FALSE(try_once(*w)) << "refused, and nothing is left behind";
  EXPECT_FALSE(acquire(*w, 50ms));
  EXPECT_FALSE(release(*r));
}

TEST_F(shared, SHARED_2_a_waiting_writer_is_not_passed_by_new_readers) {
  auto const store = open();
  auto r1 = store.claim("x", reading);
  ASSERT_TRUE(try_once(*r1));
  auto w = store.claim("x");
  ASSERT_FALSE(try_and_queue(*w));
  auto r2 = store.claim("x", reading);
  auto r3 = store.claim("x", reading);
  EXPECT_FALSE(try_once(*r2));
  EXPECT_FALSE(try_and_queue(*r2));
  EXPECT_FALSE(try_and_queue(*r3));
  EXPECT_FALSE(release(*r1));
  EXPECT_FALSE(try_and_queue(*r2));
  EXPECT_TRUE(try_and_queue(*w));
  EXPECT_FALSE(release(*w));
  EXPECT_TRUE(try_and_queue(*r2));
  EXPECT_TRUE(try_and_queue(*r3)) << "readers in a row come in together";
  EXPECT_FALSE(release(*r2));
  EXPECT_FALSE(release(*r3));
}

TEST_F(shared, SHARED_3_one_dead_reader_frees_its_own_place_only) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto r = store.claim("x", reading);
  ASSERT_TRUE(try_once(*r));
  auto const dead = holder("x", reading);
  auto w = store.claim("x");
  ASSERT_FALSE(try_and_queue(*w));
  dead->kill();
  EXPECT_FALSE(try_and_queue(*w)) << "the other reader lives";
  EXPECT_FALSE(r->revoked());
  EXPECT_EQ(store.inspect("x").holders.size(), 1U);
  EXPECT_FALSE(release(*r));
  EXPECT_TRUE(try_and_queue(*w));
  EXPECT_FALSE(release(*w));
}

TEST_F(shared, SHARED_3_a_writer_learns_at_once_that_the_last_reader_died) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto const one = holder("x", reading);
  auto const two = holder("x", reading);
  auto w = store.claim("x");
  std::jthread killer([&] {
    ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
    one->kill();
    two->kill();
  });
  auto const begun = clock::now();
  EXPECT_TRUE(acquire(*w));
  EXPECT_LT(clock::now() - begun, 900ms);
  EXPECT_FALSE(release(*w));
}

TEST_F(shared, SHARED_4_never_more_than_n_permits) {
  LEASEHOLD_NEEDS_FORK();
  constexpr std::uint32_t n = 3;
  auto work = [&] {
    auto const store = open();
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        auto c = store.claim("x", permit(n));
        for (int i = 0; i < 300; ++i) {
          if (!acquire(*c)) return;
          int const inside = board->inside.fetch_add(1) + 1;
          if (inside > static_cast<int>(n)) board->worst = inside;
          if (inside == static_cast<int>(n)) board->counter++;
          std::this_thread::yield();
          board->inside--;
          if (release(*c)) board->worst = 100;
        }
      });
    }
  };
  child_process other(work);
  work();
  EXPECT_EQ(other.wait(), 0);
  EXPECT_EQ(board->worst, 0);
  EXPECT_GT(board->counter, 0U) << "all permits were in use at some time";
  EXPECT_TRUE(open().list().empty());
}

TEST_F(shared, SHARED_4_a_permit_whose_ttl_ran_out_is_granted_again_and_its_owner_learns) {
  auto const store = open();
  auto a = store.claim("x", {.ttl = 20ms, .mode = mode::semaphore(1)});
  auto b = store.claim("x", permit(1));
  ASSERT_TRUE(try_once(*a));
  EXPECT_FALSE(try_once(*b));
  EXPECT_TRUE(a->renew_now()->has_value());
  EXPECT_TRUE(acquire(*b));
  EXPECT_TRUE(a->revoked());
  EXPECT_EQ(a->renew_now()->error(), errc::lost);
  EXPECT_EQ(release(*a), errc::expired);
  EXPECT_FALSE(b->revoked());
  EXPECT_FALSE(release(*b));
}

TEST_F(shared, SHARED_5_a_smaller_n_drains) {
  auto const store = open();
  std::vector<std::unique_ptr<spi::claim>> wide;
  for (int i = 0; i < 3; ++i) {
    wide.push_back(store.claim("x", permit(3)));
    ASSERT_TRUE(try_once(*wide.back()));
  }
  auto narrow = store.claim("x", permit(2));
  EXPECT_FALSE(try_once(*narrow));
  EXPECT_FALSE(release(*wide[0]));
  EXPECT_FALSE(try_once(*narrow)) << "two are still held";
  EXPECT_FALSE(release(*wide[1]));
  EXPECT_TRUE(try_once(*narrow));
  EXPECT_FALSE(release(*narrow));
  EXPECT_FALSE(release(*wide[2]));
}

TEST_F(shared, SHARED_6_readers_expire_by_the_stores_clock) {
  auto const store = open();
  auto r = store.claim("x", {.ttl = 30ms, .mode = mode::reader()});
  ASSERT_TRUE(try_once(*r));
  auto const end = store.inspect("x").holders.at(0).expires_at.value();
  auto w = store.claim("x");
  EXPECT_TRUE(acquire(*w));
  EXPECT_GE(clock::now(), end);
  EXPECT_FALSE(release(*w));
  EXPECT_EQ(release(*r), errc::expired);
}

TEST_F(shared, SHARED_7_a_writers_token_is_larger_than_every_earlier_readers) {
  auto const store = open();
  std::uint64_t largest = 0;
  for (int i = 0; i < 5; ++i) {
    auto r = store.claim("x", reading);
    auto const token = try_once(*r).value();
    EXPECT_GT(token, largest);
    largest = token;
    EXPECT_FALSE(release(*r));
  }
  auto w = store.claim("x");
  EXPECT_GT(try_once(*w).value(), largest);
  EXPECT_FALSE(release(*w));
}

TEST_F(shared, NAME_4_a_name_is_one_kind_of_lock_at_a_time) {
  auto const store = open();
  auto m = store.claim("x");
  auto s = store.claim("x", permit(2));
  auto r = store.claim("x", reading);
  ASSERT_TRUE(try_once(*m));
  EXPECT_EQ(s->attempt_now()->error(), errc::mode_mismatch);
  EXPECT_FALSE(release(*m));
  ASSERT_TRUE(try_once(*s));
  EXPECT_EQ(m->attempt_now()->error(), errc::mode_mismatch);
  EXPECT_EQ(r->attempt_once_now()->error(), errc::mode_mismatch);
  EXPECT_FALSE(release(*s));
  ASSERT_TRUE(try_once(*r));
  EXPECT_EQ(s->attempt_once_now()->error(), errc::mode_mismatch);
  EXPECT_FALSE(release(*r));
  EXPECT_TRUE(try_once(*s)) << "a free name is of no kind";
  EXPECT_FALSE(release(*s));
}

TEST_F(shared, an_evicted_reader_learns_and_a_detached_one_is_adopted) {
  auto const store = open();
  auto r = store.claim("x", reading);
  auto const token = try_once(*r).value();
  EXPECT_FALSE(store.evict("x", token, false));
  EXPECT_TRUE(r->revoked());
  EXPECT_EQ(release(*r), errc::not_owner);
  auto d = store.claim("x", {.ttl = 10s, .mode = mode::reader()});
  ASSERT_TRUE(try_once(*d));
  auto const ticket = run(d->detach()).value();
  auto w = store.claim("x");
  EXPECT_FALSE(try_once(*w));
  spi::claim_spec spec{};
  spec.name = "x";
  spec.mode = mode::reader();
  auto adopted = run(store.backend().adopt(spec, ticket));
  ASSERT_TRUE(adopted.has_value());
  EXPECT_EQ(run(store.backend().adopt(spec, ticket)).error(), errc::lost);
  EXPECT_FALSE(adopted->claim->withdraw_now({})->error());
  EXPECT_TRUE(try_once(*w));
  EXPECT_FALSE(release(*w));
}

}  // namespace
}  // namespace leasehold::test
