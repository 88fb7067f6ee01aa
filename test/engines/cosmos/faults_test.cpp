// Decides what each answer of the service's costs: a repetition, a wait, a doubt that is cleared up, never a lock nobody can free.
#include "engines/cosmos/fake_test.hpp"

#include <leasehold/acquire_operation.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

class cosmos_faults : public cosmos_test {};

using names = std::vector<std::string>;

TEST_F(cosmos_faults, an_acquire_and_a_release_of_a_known_name_are_one_write_each) {
  auto const on = client();
  on.acquire("x").release();
  static_cast<void>(service_.take_verbs());
  auto held = on.acquire("x");
  EXPECT_EQ(service_.take_verbs(), names{"PUT"});
  held.renew();
  EXPECT_EQ(service_.take_verbs(), names{"PUT"});
  held.release();
  EXPECT_EQ(service_.take_verbs(), names{"PUT"});
}

TEST_F(cosmos_faults, CONN_2_a_create_that_took_effect_although_it_was_refused_is_found) {
  auto const on = client();
  for (int const status : {408, 449, 500, 503}) {
    auto const name = "x" + std::to_string(status);
    service_.fail("POST", status, true);
    auto held = on.try_acquire(name);
    ASSERT_TRUE(held) << status;
    EXPECT_EQ(on.inspect(name).holders.size(), 1U);
    held->release();
    EXPECT_EQ(on.inspect(name).state, lock_state::free);
  }
  EXPECT_FALSE(service_.has_faults_left());
}

TEST_F(cosmos_faults, CONN_2_a_412_after_our_own_repeated_write_is_our_success) {
  auto const on = client();
  on.acquire("x").release();
  service_.fail("PUT", 503, true);
  auto held = on.try_acquire("x");
  ASSERT_TRUE(held);
  service_.fail("PUT", 503, true);
  held->renew();
  EXPECT_TRUE(held->held());
  service_.fail("PUT", 503, true);
  std::error_code ec;
  held->release(ec);
  EXPECT_FALSE(ec) << ec.message();
  EXPECT_EQ(on.inspect("x").state, lock_state::free);
}

TEST_F(cosmos_faults, CONN_2_a_write_that_is_carried_out_late_grants_nothing) {
  auto const on = client();
  on.acquire("x").release();
  auto const before = service_.document("x");
  // Twice no answer, and nothing done yet: as if the request were still under way.
  service_.fail({"PUT", {503, {}, ""}, false, 2});
  EXPECT_EQ(on.try_acquire("x", {}, std::nothrow).error(), errc::outcome_unknown);
  EXPECT_NE(service_.document("x"), before) << "what the late write is conditional on was changed";
  EXPECT_EQ(on.inspect("x").state, lock_state::free);
}

TEST_F(cosmos_faults, CONN_2_a_create_that_is_carried_out_late_grants_nothing) {
  auto const on = client();
  service_.fail({"POST", {503, {}, ""}, false, 2});
  EXPECT_EQ(on.try_acquire("x", {}, std::nothrow).error(), errc::outcome_unknown);
  EXPECT_NE(service_.document("x"), "") << "the late create finds that there is one";
  EXPECT_EQ(on.inspect("x").state, lock_state::free);
  EXPECT_TRUE(on.try_acquire("x"));
}

TEST_F(cosmos_faults, FAIL_7_throttling_is_waited_out_while_the_deadline_runs_on) {
  auto const on = client();
  service_.fail({"POST", {429, {{"x-ms-retry-after-ms", "30"}}, ""}, false, 3});
  auto const from = clock::now();
  auto held = on.acquire("x", {.ttl = 2s});
  EXPECT_GE(clock::now() - from, 90ms);
  EXPECT_LE(held.deadline(), from + 2s) << "the time that it took is used up";
  service_.fail({"PUT", {429, {{"x-ms-retry-after-ms", "60000"}}, ""}, false, 100'000});
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 4s)) << "throttled for longer than the lease";
  EXPECT_EQ(held.error(), errc::lost);
}

TEST_F(cosmos_faults, FAIL_7_a_refusal_of_our_rights_is_told_as_such_and_locks_nothing) {
  auto const on = client();
  std::string text;
  service_.fail("GET", 401);
  EXPECT_EQ(error_of([&] { static_cast<void>(on.try_acquire("x")); }, &text), errc::auth) << text;
  service_.fail("POST", 403);
  EXPECT_EQ(error_of([&] { static_cast<void>(on.try_acquire("x")); }, &text), errc::auth) << text;
  EXPECT_EQ(text.find(fake_cosmos::url_key()), std::string::npos);
  service_.fail("POST", 400);
  EXPECT_EQ(error_of([&] { static_cast<void>(on.try_acquire("x")); }, &text), errc::misconfigured) << text;
  service_.fail("POST", 413);
  EXPECT_EQ(error_of([&] { static_cast<void>(on.try_acquire("x")); }, &text), errc::bad_option) << text;
  EXPECT_EQ(service_.document("x"), "");
  EXPECT_FALSE(service_.has_faults_left());
}

TEST_F(cosmos_faults, CONN_10_a_key_that_is_changed_while_it_is_held_ends_the_lease_at_its_deadline) {
  auto const on = client();
  auto const held = on.acquire("x", {.ttl = 1s});
  service_.fail({"PUT", {401, {}, ""}, false, 100'000});
  auto const deadline = held.deadline();
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s));
  EXPECT_GE(clock::now(), deadline);
}

TEST_F(cosmos_faults, a_wrong_key_or_container_or_partition_key_is_refused_when_it_is_opened) {
  std::string text;
  auto const other = "cosmos://:d3Jvbmc%3D@127.0.0.1:" + std::to_string(front_.port()) + "/db/locks?plain=1";
  EXPECT_EQ(error_of([&] { static_cast<void>(open(other)); }, &text), errc::auth) << text;
  EXPECT_EQ(text.find("d3Jvbmc"), std::string::npos) << "no secret in " << text;
  service_.partition_key = "/tenant";
  EXPECT_EQ(error_of([&] { static_cast<void>(client()); }, &text), errc::misconfigured) << text;
  service_.has_container = false;
  EXPECT_EQ(error_of([&] { static_cast<void>(client()); }, &text), errc::misconfigured) << text;
  EXPECT_NE(text.find("leasehold init"), std::string::npos) << text;
  initialize(url());
  EXPECT_EQ(service_.partition_key, "/pk");
  EXPECT_TRUE(client().try_acquire("x"));
}

TEST_F(cosmos_faults, CLOCK_5_a_wrong_wall_clock_here_does_not_keep_us_out) {
  service_.clock_offset_s = 7200;
  EXPECT_TRUE(client().try_acquire("x"));
  service_.clock_offset_s = -7200;
  EXPECT_TRUE(client().try_acquire("y"));
}

TEST_F(cosmos_faults, FAIL_29_what_an_operator_does_to_a_document_grants_nothing_twice) {
  auto const a = client();
  auto const b = client();
  auto held = a.acquire("x", {.ttl = 1s});
  auto const token = held.token();
  for (auto const* bad :
       {"{\"id\":\"x\",\"pk\":\"x\"}", R"({"id":"x","pk":"x","format":1,"name":"x","fence":"none","holders":[]})",
        R"({"id":"x","pk":"x","format":1,"name":"other","fence":1,"version":1,"capacity":0,"holders":[]})"}) {
    service_.put_document("x", bad);
    EXPECT_EQ(b.try_acquire("x", {}, std::nothrow).error(), errc::mode_mismatch) << bad;
  }
  service_.put_document("x", R"({"id":"x","pk":"x","format":9})");
  EXPECT_EQ(b.try_acquire("x", {}, std::nothrow).error(), errc::unsupported);
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s));
  ::poll(nullptr, 0, 1100);  // tokens of new documents come from the service's clock, in seconds
  service_.delete_document("x");
  auto const next = b.try_acquire("x");
  ASSERT_TRUE(next);
  EXPECT_GT(const_cast<try_result&>(next)->token(), token);
}

TEST_F(cosmos_faults, FAIL_29_a_lease_whose_document_was_deleted_is_lost) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 3s});
  service_.delete_document("x");
  std::error_code ec;
  held.renew(ec);
  EXPECT_EQ(ec, errc::lost);
  EXPECT_FALSE(held.held());
}

TEST_F(cosmos_faults, FAIL_7_answers_that_are_no_json_change_nothing) {
  auto const on = client();
  service_.fail("GET", 200);
  EXPECT_TRUE(on.try_acquire("x", {}, std::nothrow).error());
  service_.fail({"GET", {200, {}, std::string(50'000, '{')}, false, 1});
  EXPECT_TRUE(on.try_acquire("x", {}, std::nothrow).error());
  EXPECT_EQ(service_.document("x"), "");
  // A write that was carried out, with an answer that cannot be read, has still been carried out.
  service_.fail({"POST", {201, {{"etag", "\"other\""}}, "<html>"}, true, 1});
  auto held = on.try_acquire("x");
  ASSERT_TRUE(held);
  held->renew();
  EXPECT_TRUE(held->held());
  held->release();
  EXPECT_EQ(on.inspect("x").state, lock_state::free);
}

TEST_F(cosmos_faults, CONN_8_a_replica_that_lags_behind_is_asked_again) {
  auto const on = client();
  on.acquire("x").release();
  service_.fail("GET", 404, false, {{"x-ms-substatus", "1002"}});
  EXPECT_EQ(on.inspect("x").state, lock_state::free);
  service_.fail("GET", 404, false, {{"x-ms-substatus", "1002"}});
  auto held = client().try_acquire("x");
  EXPECT_TRUE(held) << "it was not taken for missing";
  EXPECT_EQ(service_.take_verbs().back(), "PUT");
}

TEST_F(cosmos_faults, CONN_7_a_service_that_says_nothing_holds_nobody_up_for_longer_than_the_op_timeout) {
  auto const on = client();
  front_.pause();
  auto const from = clock::now();
  EXPECT_TRUE(on.try_acquire("x", {.ttl = 1s}, std::nothrow).error());
  EXPECT_LT(clock::now() - from, 1500ms);
  std::stop_source stop;
  std::error_code ec;
  std::thread stopper([&] {
    ::poll(nullptr, 0, 100);
    stop.request_stop();
  });
  EXPECT_FALSE(on.acquire("x", {.ttl = 20s}, stop.get_token(), ec));
  stopper.join();
  EXPECT_EQ(ec, errc::cancelled);
  front_.resume();
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(on.try_acquire("x", {.ttl = 1s})); }))
      << "nothing is left locked";
}

TEST_F(cosmos_faults, CONN_1_connections_that_are_cut_again_and_again_cost_no_exclusion) {
  auto const on = client();
  std::atomic<bool> ending{false};
  std::thread cutter([&] {
    while (!ending) {
      front_.cut();
      ::poll(nullptr, 0, 7);
    }
  });
  std::atomic<int> inside{0};
  std::uint64_t last = 0;
  std::mutex order;
  auto const work = [&] {
    auto const mine = client();
    for (int i = 0; i < 25; ++i) {
      std::error_code ec;
      auto held = mine.acquire("x", {.ttl = 2s, .wait = 20s}, {}, ec);
      if (!held) continue;
      EXPECT_EQ(++inside, 1);
      {
        std::lock_guard const hold(order);
        EXPECT_GT(held.token(), last);
        last = held.token();
      }
      --inside;
      held.release(ec);
    }
  };
  std::thread one(work);
  std::thread two(work);
  one.join();
  two.join();
  ending = true;
  cutter.join();
  EXPECT_GT(last, 0U);
}

/// Each request of a lock's life in turn breaks off, before or after it took effect, once or twice.
TEST_F(cosmos_faults, CONN_2_a_connection_cut_at_each_step_leaves_nothing_behind) {
  auto const on = client();
  auto const other = client();
  for (int step = 0; step < 6; ++step) {
    for (bool const carried_out : {false, true}) {
      for (int const times : {1, 2}) {
        auto const what = std::to_string(step) + (carried_out ? "+" : "-") + std::to_string(times);
        auto const name = "x" + what;
        on.acquire(name).release();
        static_cast<void>(other.acquire(name).token());  // what `on` remembers of it is not true any more
        service_.fail({"", {0, {}, ""}, carried_out, times, step});
        std::error_code ec;
        auto held = on.acquire(name, {.ttl = 1s, .wait = 5s}, {}, ec);
        if (held) {
          auto const tried = other.try_acquire(name, {}, std::nothrow);
          EXPECT_FALSE(tried && *tried) << what;
          held.renew(ec);
          EXPECT_TRUE(held.held()) << what << ec.message();
          held.release(ec);
        }
        service_.forget_faults();
        auto const next = other.acquire(name, {.wait = 5s}, {}, ec);
        EXPECT_TRUE(next) << what << ec.message();
      }
    }
  }
}

TEST_F(cosmos_faults, an_operation_on_a_users_loop_waits_and_is_given_up_like_any_other) {
  auto const on = client();
  auto held = on.acquire("x", {.ttl = 2s});
  { acquire_operation const gone(on, "y", {.ttl = 2s}); }
  acquire_operation waiting(on, "x", {.ttl = 2s});
  pollfd p{waiting.descriptor(), POLLIN, 0};
  for (int i = 0; i < 5; ++i) {
    ::poll(&p, 1, 20);
    EXPECT_FALSE(waiting.advance());
  }
  held.release();
  while (!waiting.advance()) ASSERT_GT(::poll(&p, 1, 5000), 0);
  EXPECT_TRUE(waiting.take().held());
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(on.try_acquire("y", {.ttl = 2s})); }, 4s));
}

TEST_F(cosmos_faults, RENEW_6_a_renewal_that_hangs_holds_up_no_other) {
  auto const on = client();
  std::vector<lease> held;
  for (int i = 0; i < 60; ++i) held.push_back(on.acquire("x" + std::to_string(i), {.ttl = 1200ms}));
  // Some are throttled for as long as their requests may take, again and again.
  service_.fail({"PUT", {429, {{"x-ms-retry-after-ms", "250"}}, ""}, false, 40});
  ::poll(nullptr, 0, 3000);
  for (auto const& l : held) EXPECT_TRUE(l.held()) << l.name();
}

TEST_F(cosmos_faults, LOCAL_7_a_forked_child_that_destroys_its_copy_disturbs_nobody) {
  auto on = std::make_unique<store>(client());
  auto held = on->acquire("x");
  auto const before = front_.connections();
  auto const from = clock::now();
  auto const child = ::fork();
  if (child == 0) {
    on.reset();
    ::_exit(0);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
  EXPECT_LT(clock::now() - from, 700ms) << "it did not wait for a thread that it does not have";
  held.renew();
  EXPECT_TRUE(held.held());
  EXPECT_EQ(front_.connections(), before) << "the parent's connection is as it was";
}

TEST_F(cosmos_faults, WAIT_1_a_silent_holder_is_taken_over_after_its_ttl_without_any_clock_of_others) {
  auto held = client().acquire("x", {.ttl = 800ms, .renew = renewal::manual});
  service_.clock_offset_s = -3600;  // the service's clock says nothing of use
  auto const from = clock::now();
  auto const next = client().acquire("x", {.ttl = 1s, .wait = 10s});
  EXPECT_GE(clock::now() - from, 750ms);
  EXPECT_LT(clock::now() - from, 3s);
  EXPECT_GT(next.token(), held.token());
  EXPECT_FALSE(held.held());
}

TEST_F(cosmos_faults, WAIT_9_a_single_try_takes_over_a_holder_that_is_long_silent) {
  auto held = client().acquire("x", {.ttl = 500ms, .renew = renewal::manual});
  service_.clock_offset_s = 5;
  EXPECT_FALSE(client().try_acquire("x")) << "within the margin";
  service_.clock_offset_s = 9;
  EXPECT_TRUE(client().try_acquire("x"));
}

}  // namespace
}  // namespace leasehold::test
