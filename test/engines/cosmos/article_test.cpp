// Decides that clients of the article and ours exclude each other in its dialect, and that ours have tokens all the same.
#include "engines/cosmos/fake_test.hpp"

namespace leasehold::test {
namespace {

class cosmos_article : public cosmos_test {
 protected:
  store ours() { return client("&dialect=article"); }
  /// As the article's client does it: create, which conflicts while there is one; delete without comparing.
  bool they_take(std::string const& id) {
    if (!service_.document(id).empty()) return false;
    service_.put_document(id, R"({"id":")" + id + R"("})");
    return true;
  }
};

TEST_F(cosmos_article, a_lock_is_an_item_that_is_there_or_not) {
  auto const on = ours();
  auto held = on.acquire("x");
  EXPECT_FALSE(they_take("x"));
  auto const token = held.token();
  held.release();
  EXPECT_EQ(service_.document("x"), "");
  EXPECT_TRUE(they_take("x"));
  EXPECT_FALSE(on.try_acquire("x"));
  auto const seen = on.inspect("x");
  ASSERT_EQ(seen.holders.size(), 1U);
  EXPECT_TRUE(seen.holders[0].foreign);
  service_.delete_document("x");
  auto next = on.try_acquire("x");
  ASSERT_TRUE(next);
  EXPECT_GT(next->token(), token);
}

TEST_F(cosmos_article, OWN_1_an_item_that_they_delete_and_create_anew_is_lost_to_us_and_left_alone) {
  auto const on = ours();
  auto held = on.acquire("x", {.ttl = 5s, .renew = renewal::manual});
  service_.delete_document("x");
  ASSERT_TRUE(they_take("x"));
  std::error_code ec;
  held.renew(ec);
  EXPECT_EQ(ec, errc::lost);
  held.release(ec);
  EXPECT_NE(service_.document("x"), "");
}

TEST_F(cosmos_article, the_token_is_written_before_the_item_and_a_dead_holder_is_taken_over) {
  auto const on = ours();
  service_.fail({"POST", {503, {}, ""}, false, 2});  // of the token: the item is not there yet
  EXPECT_TRUE(on.try_acquire("x", {}, std::nothrow).error());
  EXPECT_EQ(service_.document("x"), "");
  auto const silent = on.acquire("x", {.ttl = 600ms, .renew = renewal::manual});
  auto const next = ours().acquire("x", {.ttl = 1s, .wait = 10s});
  EXPECT_GT(next.token(), silent.token());
}

TEST_F(cosmos_article, NAME_1_a_name_that_cannot_be_an_id_is_refused) {
  EXPECT_EQ(error_of([&] { static_cast<void>(ours().try_acquire("a/b")); }), errc::bad_name);
}

}  // namespace
}  // namespace leasehold::test
