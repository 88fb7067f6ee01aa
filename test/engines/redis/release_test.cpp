// Decides what becomes of a lease that is released on a user's event loop, which may be slow, or never come back to it.
#include "engines/redis/server_test.hpp"
#include "support/fault_proxy.hpp"

#include <future>
#include <thread>

namespace leasehold::test {
namespace {

class redis_release : public redis_test {
 protected:
  void SetUp() override {
    redis_test::SetUp();
    if (!IsSkipped()) start_ready();
  }
  static std::error_code carry_out(release_operation& op) {
    pollfd ready{op.descriptor(), POLLIN, 0};
    while (!op.advance()) EXPECT_GT(::poll(&ready, 1, 10000), 0);
    std::error_code why;
    op.take(why);
    return why;
  }
  bool is_free(std::string_view name) const { return ask({"EXISTS", name}) == "0"; }
};

TEST_F(redis_release, a_release_waits_for_nobody) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 2s});
  server_->pause();
  release_operation op(std::move(held));
  EXPECT_FALSE(held);
  EXPECT_FALSE(op.advance());
  server_->resume();
  EXPECT_EQ(carry_out(op), std::error_code());
  EXPECT_TRUE(is_free("x"));
}

TEST_F(redis_release, OWN_3_a_release_whose_reply_is_lost_is_repeated) {
  auto const at = (server_->folder() / "p").string();
  fault_proxy proxy(at, server_->socket());
  auto const on = open("redis+unix://" + at + "?max_ttl=2s");
  auto held = on.acquire("x", {.ttl = 2s});
  proxy.lose_replies(1);
  release_operation op(std::move(held));
  static_cast<void>(carry_out(op));
  EXPECT_TRUE(is_free("x"));
  EXPECT_TRUE(on.try_acquire("x", {.ttl = 2s}));
}

TEST_F(redis_release, CANCEL_3_a_release_destroyed_before_its_end_is_carried_out) {
  auto const at = (server_->folder() / "p").string();
  fault_proxy proxy(at, server_->socket());
  auto const on = open("redis+unix://" + at + "?max_ttl=2s");
  auto held = on.acquire("x", {.ttl = 2s});
  proxy.lose_requests(1);
  { release_operation const gone(std::move(held)); }
  EXPECT_TRUE(is_free("x"));
}

TEST_F(redis_release, a_lease_that_is_lost_says_so) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 300ms, .renew = renewal::manual});
  ASSERT_TRUE(eventually([&] { return !held.held(); }));
  release_operation op(std::move(held));
  EXPECT_EQ(carry_out(op), errc::expired);
  lease empty;
  EXPECT_THROW(release_operation{std::move(empty)}, error);
}

TEST_F(redis_release, RENEW_6_a_loop_that_never_comes_back_holds_up_no_other_lease) {
  auto const on = client();
  auto other = on.acquire("y", {.ttl = 600ms});
  auto held = on.acquire("x", {.ttl = 600ms});
  auto const deadline = other.deadline();
  server_->pause();
  release_operation stuck(std::move(held));
  server_->resume();
  EXPECT_TRUE(eventually([&] { return other.deadline() > deadline + 600ms; })) << "renewed again and again";
  EXPECT_TRUE(other.held());
}

TEST_F(redis_release, CANCEL_1_closing_the_store_does_not_wait_for_a_loop_that_never_comes_back) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 2s});
  server_->pause();
  release_operation stuck(std::move(held));
  server_->resume();
  auto closing = std::async(std::launch::async, [&] { return store(on).close(1s); });
  EXPECT_EQ(closing.wait_for(10s), std::future_status::ready);
}

}  // namespace
}  // namespace leasehold::test
