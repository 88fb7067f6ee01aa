// Decides that a caller's own op timeout bounds what is asked of a silent server, and nobody else's requests.
#include "engines/redis/server_test.hpp"

#include <future>

namespace leasehold::test {
namespace {

class redis_patience : public redis_test {
 protected:
  [[nodiscard]] store hasty() const { return open(url(), {.op_timeout = 150ms}); }
  /// How long `what` took.
  template <class F>
  static duration time_of(F const& what) {
    auto const from = clock::now();
    what();
    return clock::now() - from;
  }
};

TEST_F(redis_patience, CONN_7_the_callers_op_timeout_bounds_every_request) {
  start_ready();
  auto const on = hasty();
  auto held = on.acquire("x", {.ttl = 2s, .renew = renewal::manual});
  auto const token = held.token();
  server_->pause();
  std::error_code ec;
  EXPECT_LT(time_of([&] { EXPECT_EQ(try_error(on, "y", {.ttl = 2s}), errc::outcome_unknown); }), 450ms)
      << "the request, and its withdrawal";
  EXPECT_LT(time_of([&] { held.renew(ec); }), 400ms);
  EXPECT_EQ(ec, errc::outcome_unknown);
  EXPECT_LT(time_of([&] { EXPECT_EQ(on.inspect("x", std::nothrow).error(), errc::unavailable); }), 400ms);
  EXPECT_LT(time_of([&] { EXPECT_EQ(on.list("", std::nothrow).error(), errc::unavailable); }), 400ms);
  EXPECT_LT(time_of([&] { EXPECT_EQ(on.evict("x", token, {}, std::nothrow).error(), errc::unavailable); }), 400ms);
  EXPECT_TRUE(held.held()) << "silence is no loss";
  server_->resume();
}

TEST_F(redis_patience, CONN_7_a_long_op_timeout_outlives_a_quarter_of_the_ttl) {
  start_ready();
  auto const patient = open(url(), {.op_timeout = 1500ms});
  patient.acquire("warm", {.ttl = 1s}).release();
  server_->pause();
  auto trying = std::async(std::launch::async, [&] { return try_error(patient, "x", {.ttl = 2s}); });
  EXPECT_EQ(trying.wait_for(700ms), std::future_status::timeout);
  server_->resume();
  EXPECT_EQ(trying.get(), std::error_code{}) << "a quarter of the TTL is 500 ms";
}

}  // namespace
}  // namespace leasehold::test
