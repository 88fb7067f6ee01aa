// Decides what becomes of leases and waits when broker, connection or settings fail in the ways a test can arrange.
#include "engines/rabbitmq/broker_test.hpp"

#include <future>
#include <vector>

namespace leasehold::test {
namespace {

class rabbitmq_faults : public rabbitmq_test {};

TEST_F(rabbitmq_faults, CONN_2_a_connection_cut_at_any_point_leaves_a_name_that_can_be_had) {
  auto const other = client();
  std::uint64_t last = 0;
  for (std::int64_t bytes = 1; bytes < 700; bytes += 31) {
    auto const on = relayed();
    relay_->cut_after(bytes);
    std::error_code ec;
    {
      auto held = on.acquire("x", {.ttl = 500ms, .wait = 0s}, {}, ec);
      if (held) held.release(ec);
    }
    auto next = other.acquire("x", {.ttl = 500ms, .wait = 5s});
    EXPECT_GT(next.token(), last) << bytes;
    last = next.token();
    next.release();
  }
}

TEST_F(rabbitmq_faults, RENEW_5_silence_is_no_loss_before_the_deadline_and_is_one_then) {
  auto const on = relayed();
  auto const held = on.acquire("x", {.ttl = 2s});
  relay_->pause();
  auto const stop = held.lost();
  ::poll(nullptr, 0, 900);
  EXPECT_TRUE(held.held());
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s));
  EXPECT_TRUE(eventually([&] { return stop.stop_requested(); }, 1s));
  relay_->resume();
  ::poll(nullptr, 0, 300);
  EXPECT_FALSE(held.held());
}

TEST_F(rabbitmq_faults, RENEW_5_a_holder_whose_requests_arrive_but_who_hears_nothing_gives_up_in_time) {
  auto const on = relayed();
  auto const held = on.acquire("x", {.ttl = 2s});
  relay_->drop_replies();
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s)) << "heartbeats that arrive prove nothing to the holder";
  auto const next = client().acquire("x", {.ttl = 1s, .wait = 15s});
  EXPECT_GT(next.token(), held.token());
}

TEST_F(rabbitmq_faults, CONN_4_a_cut_connection_is_told_at_once_and_the_store_goes_on) {
  auto const on = relayed();
  auto const held = on.acquire("x", {.ttl = 4s});
  relay_->cut();
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 1s)) << "the broker has given it away already";
  EXPECT_TRUE(on.try_acquire("y", {.ttl = 1s}));
}

TEST_F(rabbitmq_faults, FAIL_9_a_lease_longer_than_the_brokers_consumer_timeout_is_kept_where_the_url_says_so) {
  auto const told = client();
  auto const untold = open(broker_->url("heartbeat=2&prefix=" + prefix_));
  auto kept = told.acquire("x", {.ttl = 2s});
  auto const lost = untold.acquire("y", {.ttl = 2s});
  EXPECT_TRUE(eventually([&] { return !lost.held(); }, 12s)) << "this broker closes the channel after six seconds";
  ::poll(nullptr, 0, 1000);
  EXPECT_TRUE(kept.held());
  auto const token = kept.token();
  kept.release();
  EXPECT_GT(client().acquire("x", {.ttl = 1s, .wait = 2s}).token(), token);
}

TEST_F(rabbitmq_faults, many_leases_share_one_connection) {
  auto const on = relayed();
  std::vector<lease> held;
  for (int i = 0; i < 100; ++i) held.push_back(on.acquire("x" + std::to_string(i), {.ttl = 4s}));
  ::poll(nullptr, 0, 5000);
  for (auto const& l : held) EXPECT_TRUE(l.held()) << l.name();
  EXPECT_EQ(relay_->connections(), 1U);
}

TEST_F(rabbitmq_faults, queues_that_are_no_locks_are_refused) {
  auto const on = client();
  auto const declare = "rabbit_amqqueue:declare({resource,<<\"/\">>,queue,<<\"" + queue("classic") +
                       "\">>}, true, false, [], none, <<\"t\">>).";
  broker_->control({"eval", declare});
  stranger owner(*broker_, prefix_);
  owner.declare_exclusive(queue("exclusive"));
  for (auto const* name : {"classic", "exclusive"}) {
    std::error_code ec;
    diagnostics why;
    EXPECT_FALSE(on.acquire(name, {.ttl = 1s, .wait = 1s}, {}, ec, &why));
    EXPECT_EQ(ec, errc::misconfigured) << name;
    EXPECT_NE(why.message().find(queue(name)), std::string_view::npos) << why.message();
    EXPECT_FALSE(why.hint().empty());
  }
  EXPECT_TRUE(on.try_acquire("x", {.ttl = 1s})) << "the store goes on";
}

TEST_F(rabbitmq_faults, bad_logins_and_places_are_told_apart_and_no_secret_is_shown) {
  auto const port = std::to_string(broker_->port());
  diagnostics why;
  EXPECT_EQ(open_error("amqp://guest:s3cret@127.0.0.1:" + port, &why), errc::auth);
  EXPECT_EQ(std::string(why.message()).find("s3cret"), std::string::npos);
  EXPECT_EQ(open_error("amqp://127.0.0.1:" + port + "/nowhere", &why), errc::misconfigured);
  EXPECT_NE(why.hint().find("add_vhost"), std::string_view::npos);
  EXPECT_EQ(open_error("amqp://127.0.0.1:1", &why), errc::unavailable);
  EXPECT_TRUE(open_error("amqps://127.0.0.1:" + port + "/?insecure=1", &why)) << "no TLS there";
  auto const on = client();
  std::error_code ec;
  EXPECT_FALSE(on.acquire("x", {.ttl = 5s}, {}, ec, &why)) << "twice the heartbeat is four seconds";
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_FALSE(on.acquire("x", {.mode = mode::reader()}, {}, ec));
  EXPECT_EQ(ec, errc::unsupported);
}

TEST_F(rabbitmq_faults, a_second_host_is_used_where_the_first_is_down) {
  auto const on = open("amqp://127.0.0.1:1,127.0.0.1:" + std::to_string(broker_->port()) + "/?" + query());
  EXPECT_TRUE(on.try_acquire("x", {.ttl = 1s}));
}

TEST_F(rabbitmq_faults, FAIL_1_a_broker_that_was_killed_comes_back_with_its_tokens) {
  if (!broker_->is_ours()) GTEST_SKIP() << "the broker of LEASEHOLD_TEST_AMQP_PORT is not restarted";
  auto const on = client();
  on.acquire("x", {.ttl = 2s}).release();
  // A queue is on the broker's disk for good only some seconds after it was made: killed before, RabbitMQ 3.10 comes back with a queue
  // that nobody can use until it is deleted.
  ::poll(nullptr, 0, 6000);
  auto const held = on.acquire("x", {.ttl = 2s});
  broker_->kill();
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s));
  std::error_code ec;
  EXPECT_FALSE(on.acquire("x", {.ttl = 1s, .wait = 0s}, {}, ec));
  EXPECT_TRUE(ec == errcond::retryable) << ec.message();
  broker_->start();
  ASSERT_TRUE(eventually([&] { return !open_error(broker_->url(query())); }, 30s));
  auto const next = client().acquire("x", {.ttl = 1s, .wait = 20s});
  EXPECT_GT(next.token(), held.token());
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(on.try_acquire("y", {.ttl = 1s}, std::nothrow)); }, 5s));
}

}  // namespace
}  // namespace leasehold::test
