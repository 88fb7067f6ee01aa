// Decides what one attempt over a majority does with each answer, step by step.
#include "model/quorum.hpp"

#include <gtest/gtest.h>

namespace leasehold::test {
namespace {

using model::node_set;
using model::only;
using model::quorum_action;
using model::quorum_machine;
using model::quorum_step;

void expect(quorum_step const& s, quorum_action what, node_set nodes = 0, std::uint64_t token = 0) {
  EXPECT_EQ(s.what, what);
  EXPECT_EQ(s.nodes, nodes);
  EXPECT_EQ(s.token, token);
}

TEST(quorum, any_two_quorums_meet) {
  for (std::size_t n = 1; n <= model::quorum_nodes_max; ++n) EXPECT_GT(2 * model::quorum_of(n), n);
  EXPECT_EQ(model::quorum_of(3), 2U);
  EXPECT_EQ(model::quorum_of(4), 3U);
  EXPECT_EQ(model::quorum_of(5), 3U);
  EXPECT_DEATH(static_cast<void>(model::quorum_of(0)), "invariant");
  EXPECT_DEATH(static_cast<void>(model::quorum_of(10)), "invariant");
}

TEST(quorum, nodes_that_agree_need_one_round) {
  quorum_machine m(5);
  expect(m.granted(4, 7), quorum_action::wait);
  expect(m.granted(0, 7), quorum_action::wait);
  expect(m.granted(2, 7), quorum_action::done, 0, 7);
  EXPECT_EQ(m.hint(), 8U);
}

TEST(quorum, nodes_that_differ_are_written_back_to) {
  quorum_machine m(5);
  expect(m.granted(0, 7), quorum_action::wait);
  expect(m.granted(1, 9), quorum_action::wait);
  expect(m.granted(2, 8), quorum_action::settle, only(0) | only(2), 9);
  expect(m.settled(2, true), quorum_action::wait);
  expect(m.settled(0, true), quorum_action::done, 0, 9);
}

TEST(quorum, a_grant_that_comes_during_the_write_back_confirms_if_it_is_the_same) {
  quorum_machine m(5);
  m.granted(0, 7);
  m.granted(1, 9);
  expect(m.granted(2, 9), quorum_action::settle, only(0), 9);
  expect(m.granted(3, 9), quorum_action::done, 0, 9);
  expect(m.settled(0, true), quorum_action::wait);
}

TEST(quorum, a_grant_above_the_token_confirms_nothing) {
  quorum_machine m(3);
  m.granted(0, 6);
  expect(m.granted(1, 5), quorum_action::settle, only(1), 6);
  expect(m.granted(2, 7), quorum_action::wait);
  EXPECT_EQ(m.hint(), 8U);
  expect(m.settled(1, true), quorum_action::done, 0, 6);
}

TEST(quorum, a_grant_below_the_token_is_written_back_to_as_well) {
  quorum_machine m(5);
  m.granted(0, 6);
  m.granted(1, 6);
  expect(m.granted(2, 5), quorum_action::settle, only(2), 6);
  expect(m.granted(3, 4), quorum_action::settle, only(3), 6);
  expect(m.settled(2, false), quorum_action::wait);
  expect(m.settled(3, true), quorum_action::done, 0, 6);
}

TEST(quorum, a_write_back_that_found_another_owner_confirms_nothing) {
  quorum_machine m(3);
  m.granted(0, 6);
  expect(m.granted(1, 5), quorum_action::settle, only(1), 6);
  expect(m.refused(2, 6), quorum_action::wait);
  expect(m.settled(1, false), quorum_action::fail);
}

TEST(quorum, it_fails_as_soon_as_no_majority_can_be_had) {
  quorum_machine m(5);
  expect(m.refused(0, 11), quorum_action::wait);
  expect(m.granted(1, 4), quorum_action::wait);
  expect(m.failed(2), quorum_action::wait);
  expect(m.refused(3, 3), quorum_action::fail);
  EXPECT_EQ(m.hint(), 12U) << "what was refused counts too";
}

TEST(quorum, a_dead_minority_costs_nothing) {
  quorum_machine m(5);
  m.failed(0);
  m.failed(4);
  m.granted(1, 2);
  m.granted(2, 2);
  expect(m.granted(3, 2), quorum_action::done, 0, 2);
}

TEST(quorum, RENEW_4_late_replies_change_nothing) {
  quorum_machine m(3);
  m.granted(0, 5);
  expect(m.give_up(), quorum_action::fail);
  expect(m.granted(1, 5), quorum_action::wait);
  expect(m.granted(2, 9), quorum_action::wait);
  expect(m.give_up(), quorum_action::wait);
  EXPECT_TRUE(m.is_over());
  EXPECT_EQ(m.hint(), 10U);
}

TEST(quorum, RENEW_3_a_minority_renews_nothing_and_a_majority_loses) {
  using model::renewal_verdict;
  model::renewal_tally t(5);
  t.kept();
  t.kept();
  t.gone();
  t.gone();
  EXPECT_EQ(t.verdict(), renewal_verdict::pending);
  auto other = t;
  t.failed();
  EXPECT_EQ(t.verdict(), renewal_verdict::undecided);
  auto third = other;
  other.gone();
  EXPECT_EQ(other.verdict(), renewal_verdict::lost);
  third.kept();
  EXPECT_EQ(third.verdict(), renewal_verdict::renewed);
}

TEST(quorum, FAIL_1_a_node_rejoins_with_the_largest_counter_of_a_majority_of_others) {
  model::rejoin_tally t(5);
  t.told(4);
  t.told(9);
  EXPECT_FALSE(t.counter());
  t.told(6);
  EXPECT_EQ(t.counter(), 9U);
}

}  // namespace
}  // namespace leasehold::test
