// Decides what becomes of locks on several nodes when a client is cut off in one direction, when a clock is stepped, and when a node comes
// back with an old snapshot.
#include "engines/redlock/nodes_test.hpp"
#include "support/fault_proxy.hpp"

namespace leasehold::test {
namespace {

class redlock_cut_off : public redlock_test {
 protected:
  /// A client behind a relay for each node; `prepare` turns the knobs of each before anything passes.
  store client_behind_relays(std::function<void(fault_proxy&, std::size_t)> const& prepare = {}) {
    std::string out = "redlock:?max_ttl=2s&list=cut";
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      auto const socket = (servers_[i]->folder() / ("relay" + std::to_string(relays_.size()))).string();
      relays_.push_back(std::make_unique<fault_proxy>(socket, servers_[i]->socket()));
      if (prepare) prepare(*relays_.back(), i);
      out += node_at(socket);
    }
    return open(out);
  }
  /// A client that brings the nodes that `is_set` names scripts with another clock, which stay there.
  store client_with_clock(std::string const& clock, std::function<bool(std::size_t)> const& is_set) {
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      if (is_set(i)) ask(i, {"FUNCTION", "FLUSH"});
    }
    return client_behind_relays([&](fault_proxy& relay, std::size_t i) {
      if (is_set(i)) relay.rewrite("t[1] * 1000 +", clock);
    });
  }
  void start_as_cut(std::size_t count) {
    start(count);
    initialize_as_cut();
  }
  [[nodiscard]] store direct() const { return client_of({0, 1, 2, 3, 4}); }

  std::vector<std::unique_ptr<fault_proxy>> relays_;
};

constexpr std::int64_t all = 1'000'000;

TEST_F(redlock_cut_off, replies_of_a_minority_that_are_lost_cost_nothing) {
  start_as_cut(5);
  auto const a = client_behind_relays();
  for (auto const i : {1U, 4U}) relays_[i]->lose_replies(all);
  auto held = a.acquire("x", {.ttl = 1s});
  auto const first = held.deadline();
  EXPECT_FALSE(gets(direct(), "x"));
  EXPECT_TRUE(eventually([&] { return held.deadline() > first; })) << "and it is renewed";
  held.release();
  EXPECT_TRUE(eventually([&] { return gets(direct(), "x"); }, 500ms)) << "the release reaches them all";
}

TEST_F(redlock_cut_off, replies_of_a_majority_that_are_lost_leave_no_grant_behind) {
  start_as_cut(5);
  auto const a = client_behind_relays();
  static_cast<void>(gets(a, "warm-up"));
  for (auto const i : {0U, 1U, 4U}) relays_[i]->lose_replies(all);
  auto const code = try_error(a, "x", {.ttl = 2s});
  EXPECT_TRUE(code == errc::outcome_unknown || code == errc::unavailable) << code.message();
  EXPECT_TRUE(eventually([&] { return gets(direct(), "x"); }, 500ms))
      << "what was granted is released, not left to its TTL";
}

TEST_F(redlock_cut_off, RENEW_1_a_holder_that_hears_nothing_ends_at_its_deadline_although_the_nodes_renew) {
  start_as_cut(5);
  auto const a = client_behind_relays();
  auto const held = a.acquire("x", {.ttl = 1s});
  for (auto const i : {0U, 1U, 4U}) relays_[i]->lose_replies(all);
  auto const deadline = held.deadline();
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s));
  EXPECT_EQ(held.deadline(), deadline) << "no answer, no later deadline";
  EXPECT_LT(clock::now() - deadline, 300ms);
}

TEST_F(redlock_cut_off, a_clock_that_is_set_moves_no_token) {
  start_as_cut(3);
  auto last = client_of({0, 1, 2}).acquire("x", {.ttl = 1s}).token();
  for (auto const* far : {"t[1] * 1009 +", "t[1] * 0991 +"}) {
    auto const a = client_with_clock(far, [](std::size_t i) { return i == 1; });
    for (int n = 0; n < 3; ++n) {
      auto const token = a.acquire("x", {.ttl = 1s}).token();
      EXPECT_GT(token, last);
      EXPECT_LT(token, last + 20) << "months away for that node, and no matter";
      last = token;
    }
  }
}

TEST_F(redlock_cut_off, CLOCK_4_one_clock_set_forward_lets_nobody_in_and_two_give_tokens_that_differ) {
  start_as_cut(3);
  acquire_options const reads{.ttl = 2s, .mode = mode::reader()};
  auto const reader = client_of({0, 1, 2}).acquire("x", reads);
  auto const stepped = [&](std::size_t count) {
    return client_with_clock("t[1] * 1009 +", [count](std::size_t i) { return i < count; });
  };
  EXPECT_FALSE(gets(stepped(1), "x")) << "the reader is gone from one node alone";
  EXPECT_TRUE(reader.held());
  auto writer = stepped(2).try_acquire("x", {.ttl = 1s});
  ASSERT_TRUE(writer) << "beyond what is TIMED: the clocks of a majority were set";
  EXPECT_GT(writer->token(), reader.token()) << "what is FENCE stands";
}

TEST_F(redlock_cut_off, FAIL_2_a_node_with_an_old_snapshot_does_not_vote_before_its_probation_is_over) {
  start(3);
  auto const last = client().acquire("x", {.ttl = 1s}).token();
  ASSERT_EQ(ask(1, {"SAVE"}), "OK");  // it belongs to the list, votes, and knows of no holder
  pause({2});
  auto const held = client().acquire("x", {.ttl = 1500ms, .renew = renewal::manual});  // by the nodes 0 and 1
  servers_[1]->kill();
  servers_[1]->start();
  ASSERT_NE(ask(1, {"HGET", "lh:node", "list"}), "(nil)") << "the snapshot was not loaded";
  resume({2});
  auto const b = client();
  EXPECT_TRUE(eventually([&] { return ask(2, {"DEL", "x"}) == "0"; }));
  EXPECT_FALSE(gets(b, "x")) << "nodes 1 and 2 would be a majority";
  EXPECT_TRUE(held.held());
  EXPECT_GT(held.token(), last);
  auto const next = b.acquire("x", {.ttl = 1s, .wait = 10s});
  EXPECT_GT(next.token(), held.token());
}

}  // namespace
}  // namespace leasehold::test
