// Decides whether the dead let go, at once, and the stopped do not; with real processes, SIGKILL and SIGSTOP.
#include "engines/local/latch.hpp"
#include "engines/local/local_support.hpp"
#include "engines/local/recovery.hpp"

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <random>
#include <thread>

namespace leasehold::test {
namespace {

using crash = local_store;

TEST_F(crash, LOCAL_2_a_killed_holders_name_is_free_at_once) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto const child = holder("x");
  auto a = store.claim("x");
  EXPECT_FALSE(try_once(*a));
  std::thread killer([&] {
    ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
    board->when = clock::now().time_since_epoch().count();
    child->signal(SIGKILL);
  });
  auto const token = acquire(*a);
  auto const took = clock::now().time_since_epoch() - duration(board->when.load());
  killer.join();
  EXPECT_GT(token.value_or(0), board->value.load());
  EXPECT_LT(took, 900ms) << "told by the kernel, not by the waiter's own next look";
  EXPECT_FALSE(release(*a));
}

TEST_F(crash, LOCAL_2_a_holder_that_exits_without_a_release_lets_go_too) {
  LEASEHOLD_NEEDS_FORK();
  child_process child([&] {
    auto const store = open();
    auto const c = store.claim("x");
    if (try_once(*c)) ::_exit(7);
  });
  EXPECT_EQ(child.wait(), 7);
  auto const store = open();
  auto a = store.claim("x");
  EXPECT_EQ(store.inspect("x").state, lock_state::free);
  EXPECT_TRUE(try_once(*a));
  EXPECT_FALSE(release(*a));
}

TEST_F(crash, LOCAL_5_a_stopped_holder_still_holds) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto const child = holder("x");
  child->signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return child->is_stopped(); }));
  auto a = store.claim("x");
  EXPECT_FALSE(acquire(*a, 300ms));
  EXPECT_EQ(store.inspect("x").state, lock_state::held);
  child->signal(SIGCONT);
}

TEST_F(crash, LOCAL_5_a_dying_process_is_not_dead_before_its_last_thread_is) {
  LEASEHOLD_NEEDS_FORK();
  // Each round: a child whose other thread bumps a counter as fast as it can is killed. Once we are granted its name, the
  // counter must stand still.
  for (int round = 0; round < 60; ++round) {
    board->counter = 0;
    int const before = board->step;
    child_process child([&] {
      auto const store = open();
      auto const c = store.claim("x");
      if (!try_once(*c)) ::_exit(1);
      std::vector<std::thread> busy;
      for (int i = 0; i < 3; ++i)
        busy.emplace_back([&] {
          for (;;) board->counter++;
        });
      while (board->counter == 0) std::this_thread::yield();
      board->step++;
      for (;;) board->counter++;
    });
    ASSERT_TRUE(eventually([&] { return board->step > before; }));
    auto const store = open();
    auto a = store.claim("x");
    child.signal(SIGKILL);
    ASSERT_TRUE(acquire(*a));
    auto const at_grant = board->counter.load();
    ASSERT_FALSE(release(*a));
    child.wait();
    ASSERT_EQ(board->counter.load(), at_grant)
        << "round " << round << ": the dead went on writing after we were granted";
  }
}

TEST_F(crash, LOCAL_5_a_process_that_execs_lets_go) {
  LEASEHOLD_NEEDS_FORK();
  child_process child([&] {
    auto const store = open();
    auto const c = store.claim("x");
    if (!try_once(*c)) ::_exit(1);
    board->step = 1;
    ::execl("/bin/sleep", "sleep", "60", nullptr);
    ::_exit(1);
  });
  ASSERT_TRUE(eventually([&] { return board->step == 1; }));
  auto const store = open();
  auto a = store.claim("x");
  EXPECT_TRUE(acquire(*a));
  EXPECT_FALSE(release(*a));
}

TEST_F(crash, a_killed_holder_without_futex_waitv_is_noticed_within_a_few_polls) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open("?futex_waitv=0");
  auto const child = holder("x");
  auto a = store.claim("x");
  std::thread killer([&] {
    ASSERT_TRUE(eventually([&] { return store.inspect("x").waiters.size() == 1; }));
    child->signal(SIGKILL);
  });
  auto const begun = clock::now();
  EXPECT_TRUE(acquire(*a));
  killer.join();
  EXPECT_LT(clock::now() - begun, 900ms);
  EXPECT_FALSE(release(*a));
}

TEST_F(crash, lock_delay_keeps_the_name_busy_after_a_death_but_not_after_a_release) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x", {.lock_delay = 200ms});
  ASSERT_TRUE(try_once(*a));
  EXPECT_FALSE(release(*a));
  auto b = store.claim("x");
  ASSERT_TRUE(try_once(*b));
  EXPECT_FALSE(release(*b));
  auto const child = holder("x", {.lock_delay = 200ms});
  child->kill();
  auto const begun = clock::now();
  EXPECT_FALSE(try_once(*b)) << "the first look sees the death";
  EXPECT_EQ(store.inspect("x").state, lock_state::held_off);
  EXPECT_TRUE(acquire(*b));
  EXPECT_GE(clock::now() - begun, 190ms);
  EXPECT_FALSE(release(*b));
}

TEST_F(crash, LOCAL_7_a_forked_childs_claims_are_void) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  auto idle = store.claim("y");
  ASSERT_TRUE(try_once(*a));
  child_process child([&] {
    EXPECT_TRUE(a->revoked());
    EXPECT_FALSE(release(*a));
    EXPECT_EQ(idle->attempt_now()->error(), errc::cancelled);
    auto b = store.claim("z");
    EXPECT_EQ(b->attempt_now()->error(), errc::cancelled);
    // Opened anew it takes part like anybody else.
    auto const own = open();
    auto c = own.claim("x");
    EXPECT_FALSE(try_once(*c));
    auto d = own.claim("y");
    EXPECT_TRUE(try_once(*d));
    EXPECT_NE(own.session().slot(), store.session().slot());
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_FALSE(a->revoked());
  EXPECT_TRUE(try_once(*idle)) << "the child died without a release";
  EXPECT_FALSE(release(*idle));
  EXPECT_FALSE(release(*a));
}

TEST_F(crash, LOCAL_7_a_child_that_outlives_the_holder_does_not_keep_its_lock) {
  LEASEHOLD_NEEDS_FORK();
  board->value = 0;
  child_process parent([&] {
    auto const store = open();
    auto const c = store.claim("x");
    if (!try_once(*c)) ::_exit(1);
    pid_t const grandchild = ::fork();
    if (grandchild == 0)
      for (;;) ::pause();
    board->value = static_cast<std::uint64_t>(grandchild);
    for (;;) ::pause();
  });
  ASSERT_TRUE(eventually([&] { return board->value != 0; }));
  auto const store = open();
  auto a = store.claim("x");
  EXPECT_FALSE(try_once(*a));
  parent.kill();
  EXPECT_TRUE(acquire(*a));
  EXPECT_FALSE(release(*a));
  ::kill(static_cast<pid_t>(board->value.load()), SIGKILL);
}

/// A child that dies, or stops, inside the latch of the shard that `name` is in.
std::function<void()> inside_latch(local_store const&, std::string const& path, std::string name, int signal,
                                   blackboard& board) {
  return [path, name, signal, &board] {
    opened_store const store(path);
    auto const c = store.claim("other");
    if (!try_once(*c)) ::_exit(1);
    local::latch_guard latch(store.session(), local::view::shard_of_hash(local::hash_name(name)));
    if (!latch.lock()) ::_exit(1);
    board.step = 1;
    if (signal == SIGKILL) {
      // As between any two stores: no index can be relied on.
      auto const& mem = store.session().mem();
      auto& r = mem.record_at(local::find_name(mem, local::hash_name(name), name).which);
      for (auto* index : {&r.head, &r.tail, &r.waiting, &r.next, &mem.bucket(local::hash_name(name))}) *index = 0;
    }
    ::raise(signal);
    for (;;) ::pause();
  };
}

TEST_F(crash, LOCAL_12_a_process_stopped_inside_the_latch_is_named_and_nobody_waits_for_ever) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  child_process child(inside_latch(*this, path(), "x", SIGSTOP, *board));
  ASSERT_TRUE(eventually([&] { return board->step == 1 && child.is_stopped(); }));
  EXPECT_FALSE(release(*a)) << "nobody waits: no latch is needed";
  EXPECT_TRUE(try_once(*a)) << "nor to take it again";
  auto b = store.claim("x");
  auto const answer = *b->attempt_now();
  EXPECT_EQ(answer.error(), errc::unavailable);
  EXPECT_NE(said(answer).find(std::to_string(child.pid())), std::string::npos) << said(answer);
  child.signal(SIGCONT);
  child.kill();
  EXPECT_FALSE(try_and_queue(*b));
  EXPECT_FALSE(release(*a));
  EXPECT_TRUE(acquire(*b));
  EXPECT_FALSE(release(*b));
}

TEST_F(crash, LOCAL_1_LOCAL_2_the_latch_of_the_dead_is_taken_over_and_its_shard_rebuilt) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  auto b = store.claim("x");
  ASSERT_FALSE(try_and_queue(*b));
  child_process child(inside_latch(*this, path(), "x", SIGKILL, *board));
  child.wait();
  auto c = store.claim("x");
  EXPECT_FALSE(try_and_queue(*c)) << "takes the latch over";
  EXPECT_EQ(store.inspect("x").waiters.size(), 2U);
  EXPECT_FALSE(release(*a));
  EXPECT_FALSE(try_and_queue(*c)) << "the line has survived";
  EXPECT_TRUE(try_and_queue(*b));
  EXPECT_FALSE(release(*b));
  EXPECT_TRUE(try_and_queue(*c));
  EXPECT_FALSE(release(*c));
}

TEST_F(crash, LOCAL_1_rebuilding_at_any_time_changes_nothing_that_matters) {
  auto const store = open();
  std::vector<std::unique_ptr<spi::claim>> held;
  for (int i = 0; i < 500; ++i) {
    held.push_back(store.claim("name/" + std::to_string(i)));
    ASSERT_TRUE(try_once(*held.back()));
  }
  auto reader = store.claim("r", {.mode = mode::reader()});
  ASSERT_TRUE(try_once(*reader));
  auto writer = store.claim("r");
  ASSERT_FALSE(try_and_queue(*writer));
  for (std::uint32_t shard = 0; shard < local::shard_count; ++shard) {
    local::latch_guard latch(store.session(), shard);
    ASSERT_TRUE(latch.lock().has_value());
    for (std::uint32_t i = 0; i < store.session().mem().geometry().buckets; ++i)
      store.session().mem().bucket(shard, i) = 0xFFFFFF;
    local::rebuild(store.session(), shard);
  }
  EXPECT_EQ(store.list("name/").size(), 500U);
  for (auto& c : held) {
    EXPECT_FALSE(c->revoked());
    EXPECT_FALSE(release(*c));
  }
  EXPECT_EQ(store.inspect("r").holders.size(), 1U);
  EXPECT_FALSE(try_and_queue(*writer));
  EXPECT_FALSE(release(*reader));
  EXPECT_TRUE(try_and_queue(*writer));
  EXPECT_FALSE(release(*writer));
  EXPECT_TRUE(store.list().empty());
}

TEST_F(crash, LOCAL_1_random_kills_never_break_exclusion_or_token_order) {
  LEASEHOLD_NEEDS_FORK();
  // Workers meet in one name; whoever is inside checks that nobody else is. Each is killed at a random moment and replaced.
  auto work = [&](unsigned seed) {
    std::minstd_rand chance(seed);
    auto const store = open();
    for (;;) {
      unsigned const which = chance() % 4 == 0 ? 1 : 0;
      auto c =
          store.claim(which == 1 ? "b" : "a", {.ttl = chance() % 3 == 0 ? std::optional<duration>(10s) : std::nullopt});
      auto const token = acquire(*c, std::chrono::milliseconds(chance() % 5));
      if (!token) continue;
      auto& owner = board->cells[which * 2];
      auto& newest = board->cells[which * 2 + 1];
      // A dead holder's mark may still be there; a living one's token would be larger than any other's.
      if (newest.load() >= *token) board->worst = 1;
      newest = *token;
      owner = *token;
      for (unsigned i = chance() % 64; i > 0; --i) {
        if (owner.load() != *token) board->worst = 2;
      }
      board->counter++;
      if (release(*c)) board->worst = 3;
    }
  };
  std::minstd_rand chance(42);
  std::vector<std::unique_ptr<child_process>> workers(3);
  unsigned seed = 1;
  for (int kills = 0; kills < 250; ++kills) {
    auto& victim = workers[chance() % workers.size()];
    victim.reset();
    victim = std::make_unique<child_process>([&] { work(seed); });
    ++seed;
    auto const seen = board->counter.load();
    ASSERT_TRUE(eventually([&] { return board->counter > seen + chance() % 40; }))
        << "somebody hangs after " << kills << " kills";
    ASSERT_EQ(board->worst, 0) << "after " << kills << " kills";
  }
}

TEST_F(crash, slots_of_the_dead_are_swept_and_used_again) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("mine");
  ASSERT_TRUE(try_once(*a));
  // More deaths than there are slots would take long: pretend that the table was used to its end.
  store.session().mem().header().process_high = local::process_count;
  for (std::uint32_t slot = 1; slot < local::process_count; ++slot) {
    store.session().mem().process(slot).state = local::process_state::dead;
  }
  auto const dead_slot = std::uint16_t{77};
  auto b = store.claim("theirs");
  ASSERT_TRUE(try_once(*b));
  auto& word = store.session()
                   .mem()
                   .record_at(local::find_name(store.session().mem(), local::hash_name("theirs"), "theirs").which)
                   .word;
  word = local::word::make(local::kind::held, dead_slot, local::word{word}.seq()).bits;
  EXPECT_TRUE(b->revoked());
  auto w = store.claim("mine");
  ASSERT_FALSE(try_and_queue(*w));
  auto const seat = store.session().mem().used_seats();
  local::set_status(store.session().mem().seat_at(seat), local::seat_state::waiting, dead_slot);
  child_process child([&] {
    auto const own = open();
    auto const c = own.claim("another");
    ASSERT_TRUE(try_once(*c));
    auto const mine = own.claim("mine");
    EXPECT_FALSE(try_once(*mine));
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_EQ(local::word{word}.kind(), local::kind::free) << "swept";
  EXPECT_EQ(local::status_of(store.session().mem().seat_at(seat)).state(), local::seat_state::free) << "swept";
  EXPECT_FALSE(a->revoked());
  EXPECT_EQ(store.session().mem().process(dead_slot).state, local::process_state::free);
  EXPECT_FALSE(release(*a));
  EXPECT_EQ(release(*b), errc::not_owner);
}

TEST_F(crash, LOCAL_4_a_foreign_pid_namespace_is_refused_while_others_live_there) {
  LEASEHOLD_NEEDS_FORK();
  auto const store = open();
  auto a = store.claim("x");
  ASSERT_TRUE(try_once(*a));
  store.session().mem().header().pid_namespace = 12345;
  child_process child([&] {
    auto const own = open();
    auto const c = own.claim("y");
    auto const answer = *c->attempt_now();
    EXPECT_EQ(answer.error(), errc::misconfigured);
    EXPECT_NE(said(answer).find("PID namespace"), std::string::npos);
  });
  EXPECT_EQ(child.wait(), 0);
  EXPECT_FALSE(release(*a));
}

}  // namespace
}  // namespace leasehold::test
