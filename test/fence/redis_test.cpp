// Decides that a Redis server refuses a stale holder's write, in the script that writes.
#include "fence/frozen_holder.hpp"
#include "support/redis_server.hpp"

#include <leasehold/fence/redis.hpp>

#include <memory>

namespace leasehold::test {
namespace {

class redis_fence : public testing::Test {
 protected:
  void SetUp() override {
    if (!redis_server::is_installed()) GTEST_SKIP() << "redis: no server is installed here";
    server = std::make_unique<redis_server>();
  }
  [[nodiscard]] auto send() const {
    return [this](std::vector<std::string> const& words) { return std::stoll(server->command(words)); };
  }
  [[nodiscard]] result<void> set(std::uint64_t token, std::string const& value) const {
    return fenced_update(send(), "account/1", token, fence::redis_set, {"balance"}, {value});
  }

  std::unique_ptr<redis_server> server;
};

TEST_F(redis_fence, FENCE_7_a_frozen_holders_late_write_is_rejected) {
  initialize(server->url());  // the locks are on the same server
  expect_a_frozen_holder_is_fenced(server->url(), [&]() -> fenced_write {
    return [&](std::uint64_t token, std::string const& value) { return set(token, value); };
  });
  EXPECT_EQ(server->command({"GET", "balance"}), "second");
}

TEST_F(redis_fence, FENCE_7_older_tokens_run_nothing_and_equal_ones_write_again) {
  EXPECT_TRUE(set(5, "a"));
  EXPECT_TRUE(set(5, "b"));
  EXPECT_EQ(set(4, "c").error(), errc::lost);
  EXPECT_TRUE(set(10, "d"));  // as numbers: not before "5"
  EXPECT_EQ(set(9, "e").error(), errc::lost);
  EXPECT_EQ(server->command({"GET", "balance"}), "d");
  EXPECT_EQ(server->command({"GET", "{balance}:leasehold-fence:account/1"}), "10");
  EXPECT_EQ(server->command({"PTTL", "{balance}:leasehold-fence:account/1"}), "-1");
}

TEST_F(redis_fence, FENCE_7_tokens_beyond_the_exact_numbers_of_lua_are_told_apart) {
  constexpr auto large = (std::uint64_t{1} << 53) + 1;
  EXPECT_TRUE(set(large, "a"));
  EXPECT_EQ(set(large - 1, "b").error(), errc::lost);
  EXPECT_TRUE(set(~std::uint64_t{0}, "c"));
  EXPECT_EQ(set(~std::uint64_t{0} - 1, "d").error(), errc::lost);
  EXPECT_EQ(server->command({"GET", "balance"}), "c");
}

TEST_F(redis_fence, FENCE_7_a_write_of_ones_own_finds_its_keys_and_arguments) {
  constexpr auto move = "redis.call('DECRBY', KEYS[1], ARGV[1]) redis.call('INCRBY', KEYS[2], ARGV[1])";
  EXPECT_TRUE(fenced_update(send(), "bank", 3, move, {"{bank}a", "{bank}b"}, {"7"}));
  EXPECT_EQ(fenced_update(send(), "bank", 2, move, {"{bank}a", "{bank}b"}, {"7"}).error(), errc::lost);
  EXPECT_EQ(server->command({"MGET", "{bank}a", "{bank}b", "{bank}:leasehold-fence:bank"}), "-7\n7\n3");
}

TEST_F(redis_fence, FENCE_9_no_key_is_refused_and_the_fence_lies_in_the_slot_of_the_data) {
  EXPECT_EQ(fenced_update(send(), "x", 1, fence::redis_set, {}).error(), errc::bad_option);
  EXPECT_EQ(fence::redis_key("x", "plain"), "{plain}:leasehold-fence:x");
  EXPECT_EQ(fence::redis_key("x", "a{tag}b{c}"), "{tag}:leasehold-fence:x");
  EXPECT_EQ(fence::redis_key("x", "open{"), "{open{}:leasehold-fence:x");
}

}  // namespace
}  // namespace leasehold::test
