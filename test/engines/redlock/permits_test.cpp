// Decides that a semaphore over several nodes never gives out more permits than it has, and what a permit is: a slot of its own.
#include "engines/redlock/nodes_test.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

namespace leasehold::test {
namespace {

using redlock_permits = redlock_test;

acquire_options permit(std::uint32_t of, duration ttl = 2s) {
  return {.ttl = ttl, .mode = mode::semaphore(of), .renew = renewal::manual};
}

TEST_F(redlock_permits, SHARED_4_majorities_that_each_know_half_of_the_holders_give_out_no_more) {
  start(3);
  initialize_as_cut();
  std::vector<lease> held;
  for (auto const& nodes : {std::vector<std::size_t>{0, 1}, {1, 2}, {0, 2}}) {
    auto tried = client_of(nodes).try_acquire("x", permit(2), std::nothrow);
    ASSERT_TRUE(tried) << tried.error().message();
    if (*tried) held.push_back(std::move(**tried));
  }
  EXPECT_EQ(held.size(), 2U)
      << "each node knows of two holders at most, and a third would have a majority that knows of one";
}

TEST_F(redlock_permits, SHARED_11_a_permits_slot_is_nobody_elses_and_its_tokens_grow) {
  start(3);
  auto const a = client();
  std::map<std::uint32_t, std::uint64_t> last;
  for (int round = 0; round < 10; ++round) {
    std::set<std::uint32_t> slots;
    std::vector<lease> held;
    for (int i = 0; i < 4; ++i) held.push_back(a.acquire("x", permit(4)));
    for (auto const& h : held) {
      auto const slot = h.slot().value();
      EXPECT_LT(slot, 4U);
      EXPECT_TRUE(slots.insert(slot).second) << "held twice";
      EXPECT_GT(h.token(), last[slot]);
      last[slot] = h.token();
    }
  }
  EXPECT_FALSE(a.acquire("y", {.ttl = 1s}).slot());
}

TEST_F(redlock_permits, SHARED_5_no_slot_beyond_what_a_holder_said_is_given_out) {
  start(5);
  initialize_as_cut();
  auto const small = client_of({0, 1, 2}).acquire("x", permit(1));
  auto const other = client_of({2, 3, 4});
  for (int i = 0; i < 20; ++i)
    ASSERT_FALSE(other.try_acquire("x", permit(8))) << "one node of three knows of the holder";
}

TEST_F(redlock_permits, NAME_4_another_kind_is_refused_by_a_majority_and_a_minority_is_just_in_the_way) {
  start(3);
  auto held = client().acquire("x", permit(2));
  EXPECT_EQ(try_error(client(), "x"), errc::mode_mismatch);
  EXPECT_EQ(try_error(client(), "x", {.ttl = 1s, .mode = mode::reader()}), errc::mode_mismatch);
  held.release();
  // Left behind on one node by somebody who died.
  ASSERT_EQ(ask(0, {"SET", "x", "left-behind", "PX", "60000"}), "OK");
  EXPECT_TRUE(client().try_acquire("x", permit(2))) << "by the other two";
  servers_[1]->kill();
  EXPECT_EQ(try_error(client(), "x", permit(2)), std::error_code{}) << "busy, and no error of the caller's";
}

TEST_F(redlock_permits, a_permit_is_handed_on_with_its_slot) {
  start(3);
  auto const a = client();
  auto held = a.acquire("x", permit(3));
  auto const slot = held.slot();
  auto const token = held.token();
  auto const ticket = held.detach();
  std::error_code ec;
  EXPECT_FALSE(a.adopt("x", ticket, {.ttl = 2s}, ec));
  EXPECT_EQ(ec, errc::mode_mismatch);
  auto const adopted = client().adopt("x", ticket, permit(3));
  EXPECT_EQ(adopted.slot(), slot);
  EXPECT_GT(adopted.token(), token);
}

TEST_F(redlock_permits, WAIT_8_twenty_clients_share_three_permits) {
  start(5);
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::thread> all;
  auto const from = clock::now();
  for (int i = 0; i < 20; ++i) {
    all.emplace_back([&] {
      auto const s = client();
      for (int round = 0; round < 5; ++round) {
        auto lease = s.acquire("x", {.ttl = 2s, .wait = 60s, .mode = mode::semaphore(3)});
        auto const now = ++inside;
        for (auto seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
        }
        ::poll(nullptr, 0, 1);
        --inside;
        lease.release();
      }
    });
  }
  for (auto& t : all) t.join();
  EXPECT_LE(most, 3);
  EXPECT_GE(most, 2) << "several at once";
  EXPECT_LT(clock::now() - from, 30s);
}

}  // namespace
}  // namespace leasehold::test
