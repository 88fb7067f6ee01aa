// Decides what becomes of an account with more than one region: refused, or guarded when its write region changes.
#include "engines/cosmos/fake_test.hpp"

namespace leasehold::test {
namespace {

class cosmos_regions : public cosmos_test {
 protected:
  cosmos_regions() { service_.regions = {"West", "East"}; }
};

TEST_F(cosmos_regions, FAIL_9_an_account_that_writes_in_several_regions_is_refused) {
  service_.several_write_regions = true;
  std::string text;
  EXPECT_EQ(error_of([&] { static_cast<void>(client()); }, &text), errc::misconfigured) << text;
  EXPECT_NE(text.find("several regions"), std::string::npos) << text;
}

TEST_F(cosmos_regions, FAIL_17_a_fresh_account_that_may_forget_waits_once_or_is_told_that_nothing_is_held) {
  auto const early = client("&max_ttl=1s");
  std::string text;
  EXPECT_EQ(error_of([&] { static_cast<void>(early.try_acquire("x", {.ttl = 1s})); }, &text), errc::probation) << text;
  initialize(url("&max_ttl=1s"));
  EXPECT_TRUE(client("&max_ttl=1s").try_acquire("x", {.ttl = 1s}));
}

TEST_F(cosmos_regions, FAIL_17_after_a_fail_over_that_lost_grants_nothing_is_granted_for_the_longest_ttl) {
  initialize(url("&max_ttl=1s"));
  auto const a = client("&max_ttl=1s");
  auto const b = client("&max_ttl=1s");
  a.acquire("x", {.ttl = 1s}).release();
  auto const before = service_.snapshot();
  auto const held = a.acquire("x", {.ttl = 1s, .renew = renewal::manual});
  auto const token = held.token();
  // The write region fails; the other one has not seen the last grant.
  service_.write_region = 1;
  service_.restore(before);
  std::string text;
  std::error_code why;
  for (int tries = 0; tries < 3 && why != errc::probation; ++tries) {
    why = error_of([&] { EXPECT_FALSE(b.try_acquire("x", {.ttl = 1s})) << "held twice"; }, &text);
  }
  EXPECT_EQ(why, errc::probation) << text;
  auto const next = b.acquire("x", {.ttl = 1s, .wait = 10s});
  EXPECT_FALSE(held.held());
  EXPECT_GT(next.token(), token) << "the grant that was lost counts all the same";
  EXPECT_EQ(error_of([&] { static_cast<void>(client("&max_ttl=1s").try_acquire("y", {.ttl = 1s})); }), errc::probation)
      << "whoever comes later cannot know how long ago it was, but from the service's clock";
}

TEST_F(cosmos_regions, FAIL_17_what_survives_a_fail_over_is_renewed_meanwhile) {
  initialize(url("&max_ttl=2s"));
  auto const a = client("&max_ttl=2s");
  auto held = a.acquire("x", {.ttl = 2s});
  service_.write_region = 1;
  EXPECT_TRUE(eventually(
      [&] {
        std::error_code ec;
        held.renew(ec);
        return !ec;
      },
      1500ms));
  EXPECT_TRUE(held.held());
}

TEST_F(cosmos_regions, FAIL_17_a_strong_account_is_not_guarded) {
  service_.consistency = "Strong";
  EXPECT_TRUE(client().try_acquire("x"));
  EXPECT_EQ(service_.document("~guard"), "");
}

}  // namespace
}  // namespace leasehold::test
