// Decides whether the last word of one side of `run` reaches the other, whatever else was on its way.
#include "run/channel.hpp"

#include <gtest/gtest.h>

namespace leasehold::test {
namespace {

using cli::channel;
using cli::word;

TEST(channel, RUN_6_the_result_arrives_though_its_sender_left_a_message_unread) {
  auto [front, supervisor] = channel::make();
  ASSERT_TRUE(front.send(word::resume));  // nobody reads it any more
  ASSERT_TRUE(supervisor.send(word::finished, 7));
  supervisor.reset();
  auto const last = front.receive();
  ASSERT_TRUE(last) << "closed: " << front.closed();
  EXPECT_EQ(last->what, word::finished);
  EXPECT_EQ(last->number, 7);
  EXPECT_FALSE(front.receive());
  EXPECT_TRUE(front.closed());
}

}  // namespace
}  // namespace leasehold::test
