// Decides that there is one token per lock, whoever crashes, races, deletes or copies, and that its number only grows.
#include "engines/rabbitmq/broker_test.hpp"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <vector>

namespace leasehold::test {
namespace {

class rabbitmq_tokens : public rabbitmq_test {
 protected:
  /// As another client of the same version would publish it.
  [[nodiscard]] static std::string a_token(std::string const& name, std::uint64_t generation, duration worst = 2s) {
    rabbitmq::token t;
    t.generation = generation;
    t.id = "copy" + std::to_string(generation);
    t.name = name;
    t.worst = worst;
    return t.text();
  }
  /// What lies in the queue of a free name.
  std::uint32_t left_in(std::string const& name) { return stranger(*broker_, prefix_).count(queue(name)).messages; }
};

TEST_F(rabbitmq_tokens, OWN_12_twelve_racing_first_users_hold_one_after_another) {
  std::mutex guard;
  std::vector<std::uint64_t> tokens;
  std::atomic<int> inside = 0;
  std::vector<std::future<void>> users;
  for (int i = 0; i < 12; ++i) {
    users.push_back(std::async(std::launch::async, [&] {
      auto const on = client();
      auto held = on.acquire("x", {.ttl = 4s, .wait = 20s});
      EXPECT_EQ(++inside, 1) << "held by two";
      {
        std::lock_guard const hold(guard);
        tokens.push_back(held.token());
      }
      --inside;
      held.release();
    }));
  }
  for (auto& u : users) u.get();
  ASSERT_EQ(tokens.size(), 12U);
  EXPECT_EQ(std::ranges::adjacent_find(tokens, std::greater_equal<>()), tokens.end()) << "in the order of their grants";
  EXPECT_EQ(left_in("x"), 1U);
}

TEST_F(rabbitmq_tokens, PROC_8_fifty_crashes_in_a_row_leave_one_token_that_grew_each_time) {
  std::uint64_t last = 0;
  for (int i = 0; i < 50; ++i) {
    auto const doomed = relayed();
    auto const held = doomed.acquire("x", {.ttl = 500ms, .wait = 10s});
    ASSERT_GT(held.token(), last) << "crash " << i;
    last = held.token();
    relay_->cut();
    ASSERT_TRUE(eventually([&] { return !held.held(); }, 2s));
  }
  auto next = client().acquire("x", {.ttl = 500ms, .wait = 10s});
  EXPECT_GT(next.token(), last);
  next.release();
  EXPECT_EQ(left_in("x"), 1U);
}

TEST_F(rabbitmq_tokens, FENCE_a_purged_or_deleted_queue_is_seeded_above_what_was_granted) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 1s});
  auto token = held.token();
  held.release();
  stranger(*broker_, prefix_).steal(queue("x"));
  EXPECT_EQ(left_in("x"), 0U);
  held = on.acquire("x", {.ttl = 1s, .wait = 5s});
  EXPECT_GT(held.token(), token);
  token = held.token();
  held.release();
  stranger(*broker_, prefix_).remove(queue("x"));
  held = on.acquire("x", {.ttl = 1s, .wait = 5s});
  EXPECT_GT(held.token(), token);
}

TEST_F(rabbitmq_tokens, FAIL_6_a_queue_deleted_under_its_holder_costs_the_lease_at_once_and_waiters_go_on) {
  auto const on = client();
  auto const held = on.acquire("x", {.ttl = 4s});
  auto const other = client();
  auto waiter = std::async(std::launch::async, [&] { return other.acquire("x", {.ttl = 1s, .wait = 15s}); });
  ASSERT_TRUE(eventually([&] { return on.inspect("x").waiters.size() == 1; }));
  stranger(*broker_, prefix_).remove(queue("x"));
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 1s)) << "told, not found out by its deadline";
  auto const next = waiter.get();
  EXPECT_GT(next.token(), held.token());
}

TEST_F(rabbitmq_tokens, OWN_12_copies_in_a_free_queue_are_one_token_again_and_the_largest_counts) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 1s});
  auto const token = held.token();
  held.release();
  stranger copier(*broker_, prefix_);
  for (auto const g : {token - 5, token, token + 1, token + 1000, token + 7})
    copier.publish(queue("x"), a_token("x", g));
  held = on.acquire("x", {.ttl = 1s, .wait = 5s});
  EXPECT_GT(held.token(), token + 1000);
  held.release();
  EXPECT_TRUE(eventually([&] { return left_in("x") == 1; }, 2s));
}

TEST_F(rabbitmq_tokens, OWN_12_copies_that_come_while_it_is_held_let_nobody_else_in) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 2s});
  auto const token = held.token();
  stranger copier(*broker_, prefix_);
  for (auto const g : {token - 5, token, token + 1000, token + 1}) copier.publish(queue("x"), a_token("x", g));
  EXPECT_FALSE(client().try_acquire("x", {.ttl = 1s}));
  EXPECT_TRUE(held.held());
  EXPECT_EQ(held.token(), token) << "what was granted does not change";
  held.release();
  auto next = client().acquire("x", {.ttl = 1s, .wait = 5s});
  EXPECT_GT(next.token(), token + 1000);
  next.release();
  EXPECT_TRUE(eventually([&] { return left_in("x") == 1; }, 2s));
}

TEST_F(rabbitmq_tokens, a_message_that_is_no_token_is_replaced_and_one_of_a_newer_format_is_left_alone) {
  auto const on = client();
  on.acquire("x", {.ttl = 1s}).release();
  stranger(*broker_, prefix_).steal(queue("x"));
  stranger other(*broker_, prefix_);
  other.publish(queue("x"), "lock");
  auto held = on.acquire("x", {.ttl = 1s, .wait = 5s});
  EXPECT_GT(held.token(), 0U);
  held.release();
  stranger(*broker_, prefix_).steal(queue("x"));
  other.publish(queue("x"), "v=lh2&g=7&t=abc&s=free");
  std::error_code ec;
  EXPECT_FALSE(on.acquire("x", {.ttl = 1s, .wait = 2s}, {}, ec));
  EXPECT_EQ(ec, errc::misconfigured);
  EXPECT_TRUE(eventually([&] { return left_in("x") == 1; }, 2s));
}

TEST_F(rabbitmq_tokens, RENEW_11_a_crashed_holders_name_is_busy_for_its_whole_ttl_whoever_asks) {
  auto const doomed = relayed();
  auto const held = doomed.acquire("x", {.ttl = 3s});
  auto const token = held.token();
  auto const deadline = held.deadline();
  relay_->cut();
  ASSERT_TRUE(eventually([&] { return !held.held(); }, 2s));
  // Each of these gives up before the time is over; what it has waited counts for the next.
  std::error_code ec;
  for (int i = 0; i < 2; ++i) EXPECT_FALSE(client().acquire("x", {.ttl = 1s, .wait = 300ms}, {}, ec));
  auto const next = client().acquire("x", {.ttl = 1s, .wait = 10s});
  EXPECT_GE(next.acquired_at(), deadline) << "somebody else might have believed in it until then";
  EXPECT_GT(next.token(), token);
}

TEST_F(rabbitmq_tokens, a_single_try_after_a_crash_gets_through_in_the_end) {
  auto const doomed = relayed();
  auto const held = doomed.acquire("x", {.ttl = 2s});
  relay_->cut();
  ASSERT_TRUE(eventually([&] { return !held.held(); }, 2s));
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(client().try_acquire("x", {.ttl = 1s})); }, 6s));
}

}  // namespace
}  // namespace leasehold::test
