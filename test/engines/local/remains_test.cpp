// Decides what the blocks behind a name cost: none is lost, a full table says so and comes back, and what is remembered is not pushed out.
#include "engines/local/remains.hpp"
#include "engines/local/local_support.hpp"
#include "engines/local/text.hpp"

#include <set>

namespace leasehold::test {
namespace {

class remains : public local_store {
 protected:
  /// Blocks in use that no record reaches.
  static std::size_t lost_blocks(opened_store const& store) {
    auto const& mem = store.session().mem();
    std::set<local::id> reached;
    for (local::id r = 1; r <= mem.geometry().records; ++r) {
      for (auto at : {mem.record_at(r).blocks.load(), mem.record_at(r).notes.load()}) {
        for (; mem.block(at) != nullptr; at = mem.block_at(at).next) EXPECT_TRUE(reached.insert(at).second);
      }
    }
    std::size_t lost = 0;
    for (local::id b = 1; b <= mem.geometry().blocks; ++b) lost += mem.block_at(b).owner != 0 && !reached.contains(b);
    return lost;
  }
  static std::size_t used_blocks(opened_store const& store) {
    auto const& mem = store.session().mem();
    std::size_t used = 0;
    for (local::id b = 1; b <= mem.geometry().blocks; ++b) used += mem.block_at(b).owner != 0;
    return used;
  }
  static result<void> complete(opened_store const& store, std::string const& name, std::string_view value,
                               duration window) {
    auto c = store.claim(name);
    EXPECT_TRUE(try_once(*c)) << name;
    auto done = run(c->put_record(value, window));
    EXPECT_FALSE(release(*c));
    return done;
  }
  static std::optional<completion> find(opened_store const& store, std::string_view name) {
    return run(store.backend().get_record(name)).value();
  }
};

TEST_F(remains, ONCE_11_a_name_whose_completion_is_remembered_is_not_forgotten_for_others) {
  auto const store = open("?capacity=64");
  ASSERT_TRUE(complete(store, "kept", "the result", 1h));
  for (int i = 0; i < 5000; ++i) {
    auto c = store.claim("other/" + std::to_string(i));
    ASSERT_TRUE(try_once(*c));
    ASSERT_FALSE(release(*c));
  }
  EXPECT_EQ(find(store, "kept")->result, "the result");
}

TEST_F(remains, ONCE_11_a_table_full_of_completions_says_so_and_has_room_again_after_their_window) {
  auto const store = open("?capacity=1");
  std::string const large(local::result_bytes_max, 'r');
  result<void> full;
  int stored = 0;
  auto const until = clock::now() + 2s;
  while (full && stored < 2000) {
    full = complete(store, "large/" + std::to_string(stored), large, until - clock::now());
    stored += full ? 1 : 0;
  }
  ASSERT_EQ(full.error(), errc::unavailable);
  EXPECT_NE(full.get_failure().details.message().find("no room left for notes and results"), std::string_view::npos);
  EXPECT_FALSE(full.get_failure().details.hint().empty());
  for (int i = 0; i < stored; ++i) ASSERT_EQ(find(store, "large/" + std::to_string(i))->result, large);
  // Whoever only wants the lock gets it.
  auto c = store.claim("a lock");
  EXPECT_TRUE(try_once(*c));
  EXPECT_FALSE(release(*c));
  ASSERT_TRUE(eventually([&] { return complete(store, "later", large, 1h).has_value(); }));
  EXPECT_GE(clock::now(), until - 100ms);
  EXPECT_EQ(lost_blocks(store), 0U);
}

TEST_F(remains, ONCE_11_completions_of_all_names_of_a_part_refuse_further_names_and_say_why) {
  auto const store = open("?capacity=1");
  std::string why;
  for (int i = 0; i < 2000 && why.empty(); ++i) {
    auto c = store.claim("name/" + std::to_string(i));
    auto const answer = c->attempt_once_now().value();
    if (!answer) {
      EXPECT_EQ(answer.error(), errc::unavailable);
      why = answer.get_failure().details.message();
      break;
    }
    ASSERT_TRUE(run(c->put_record("done", 1h)));
    EXPECT_FALSE(release(*c));
  }
  EXPECT_NE(why.find("completions"), std::string::npos) << why;
}

TEST_F(remains, ONCE_4_the_engine_itself_refuses_what_is_not_the_holders) {
  auto const store = open();
  auto late = store.claim("x", {.ttl = 20ms});
  ASSERT_TRUE(try_once(*late));
  ASSERT_TRUE(eventually([&] { return store.inspect("x").state == lock_state::overdue; }));
  EXPECT_EQ(run(late->put_record("nobody came", 1h)).error(), errc::lost);
  auto next = store.claim("x");
  ASSERT_TRUE(try_once(*next));
  EXPECT_EQ(run(late->put_record("somebody came", 1h)).error(), errc::lost);
  EXPECT_EQ(run(late->put_note("late")).error(), errc::lost);
  EXPECT_EQ(run(late->previous()).error(), errc::lost);
  EXPECT_FALSE(find(store, "x"));
  EXPECT_EQ(store.inspect("x").holders.at(0).note, "");
  EXPECT_TRUE(run(next->put_record("done", 1h)));
  EXPECT_FALSE(release(*next));
  EXPECT_EQ(find(store, "x")->result, "done");
  auto evicted = store.claim("y");
  EXPECT_FALSE(store.evict("y", try_once(*evicted).value(), true));
  EXPECT_EQ(run(evicted->put_record("late", 1h)).error(), errc::lost);
  EXPECT_FALSE(find(store, "y"));
}

TEST_F(remains, NOTE_9_no_block_is_lost_over_notes_completions_and_ends) {
  auto const store = open("?capacity=64");
  for (int i = 0; i < 2000; ++i) {
    auto c = store.claim("name/" + std::to_string(i % 150), {.ttl = 10ms, .identity = std::string(300, 'i')});
    auto const token = try_once(*c);
    if (!token) continue;  // the one before has not run out yet
    static_cast<void>(run(c->put_note(std::string(static_cast<std::size_t>(i) % 256, 'n'))));
    static_cast<void>(run(c->put_note("again")));
    if (i % 3 == 0) static_cast<void>(run(c->put_record(std::string(static_cast<std::size_t>(i), 'r'), 20ms)));
    if (i % 2 == 0) static_cast<void>(release(*c));  // or its time has run out
  }
  EXPECT_EQ(lost_blocks(store), 0U);
}

TEST_F(remains, NOTE_9_old_notes_make_room_when_it_is_needed) {
  auto const store = open("?capacity=1");
  auto const all = store.session().mem().geometry().blocks;
  for (int i = 0; i < 3000; ++i) {
    auto c = store.claim("name/" + std::to_string(i), {.identity = "somebody"});
    ASSERT_TRUE(try_once(*c));
    ASSERT_TRUE(run(c->put_note(std::string(255, 'n'))));
    EXPECT_FALSE(release(*c));
  }
  EXPECT_GT(used_blocks(store), all / 2);
  for (int i = 0; i < 3000; ++i) {
    auto c = store.claim(std::string(200, 'l') + std::to_string(i));
    ASSERT_TRUE(try_once(*c)) << i;
    EXPECT_FALSE(release(*c));
  }
  EXPECT_EQ(lost_blocks(store), 0U);
}

}  // namespace
}  // namespace leasehold::test
