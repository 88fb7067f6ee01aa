// Decides whether several names are held as one: all or none, one order, lost together, told apart by their tokens.
#include "conformance/suite.hpp"

#include <leasehold/multi_lease.hpp>

#include <atomic>
#include <mutex>
#include <vector>

namespace leasehold::conformance {
namespace {

std::vector<std::string> names_of(multi_lease const& set) {
  std::vector<std::string> names;
  for (auto const& each : set.members()) names.emplace_back(each.name());
  return names;
}

/// Whose leases ended, in order.
class endings final : public observer {
 public:
  void on_event(event const& what) override {
    if (what.kind != event_kind::released) return;
    std::lock_guard const hold(guard_);
    names_.push_back(what.name);
  }
  std::vector<std::string> names() {
    std::lock_guard const hold(guard_);
    return names_;
  }

 private:
  std::mutex guard_;
  std::vector<std::string> names_;
};

TEST_P(conformance, MULTI_1_names_are_taken_in_one_order_and_each_once) {
  auto set = acquire_all(a_, {"b", "a", "c", "b"}, {.ttl = ttl(), .wait = 10s});
  EXPECT_EQ(names_of(set), (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_TRUE(set.held());
  for (auto const* name : {"a", "b", "c"}) EXPECT_FALSE(b_.try_acquire(name, with_ttl())) << name;
}

TEST_P(conformance, MULTI_1_callers_with_opposite_orders_do_not_wait_for_each_other_in_a_circle) {
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  auto const work = [&](store const& on, std::vector<std::string_view> const& names) {
    std::error_code ec;
    for (int round = 0; round < 10 && !ec; ++round) {
      auto const set = acquire_all(on, names, {.ttl = ttl_long(), .wait = 10s}, {}, ec);
      most = std::max(most.load(), ++inside);
      --inside;
    }
    return ec;
  };
  std::vector<std::future<std::error_code>> callers;
  callers.push_back(std::async(std::launch::async, work, a_, std::vector<std::string_view>{"x", "y"}));
  callers.push_back(std::async(std::launch::async, work, b_, std::vector<std::string_view>{"y", "x"}));
  for (auto& each : callers) {
    EXPECT_TRUE(eventually([&] { return each.wait_for(1ms) == std::future_status::ready; }));
    EXPECT_EQ(each.get(), std::error_code{});
  }
  EXPECT_EQ(most, 1);
}

TEST_P(conformance, MULTI_2_one_busy_name_gives_back_all_others) {
  auto const blocker = b_.acquire("b", with_ttl());
  std::error_code ec;
  diagnostics why;
  std::string_view const names[] = {"a", "b", "c"};
  auto const set = acquire_all(a_, names, {.ttl = ttl(), .wait = 0s}, {}, ec, &why);
  EXPECT_FALSE(set);
  EXPECT_EQ(ec, errc::timed_out);
  ASSERT_NE(why.holder(), nullptr);
  EXPECT_EQ(why.holder()->identity, "b");
  EXPECT_TRUE(is_free("a") && is_free("c"));
  EXPECT_TRUE(blocker.held());
}

TEST_P(conformance, MULTI_2_the_last_taken_is_given_back_first) {
  auto const seen = std::make_shared<endings>();
  a_.observe(seen);
  { auto const set = acquire_all(a_, {"a", "b", "c"}, with_ttl()); }
  EXPECT_TRUE(eventually([&] { return seen->names().size() == 3; }));
  EXPECT_EQ(seen->names(), (std::vector<std::string>{"c", "b", "a"}));
  EXPECT_TRUE(is_free("a") && is_free("b") && is_free("c"));
}

TEST_P(conformance, MULTI_3_the_loss_of_one_is_the_loss_of_all) {
  NEEDS(fences(), "evict by token");
  auto set = acquire_all(a_, {"a", "b"}, with_ttl());
  auto const lost = set.lost();
  EXPECT_FALSE(lost.stop_requested());
  b_.evict("b", set.token("b"), {.reason = "test", .now = true});
  EXPECT_TRUE(eventually([&] { return lost.stop_requested(); }, 2 * ttl()));
  EXPECT_FALSE(set.held());
  try {
    set.checkpoint();
    FAIL() << "lost, yet good";
  } catch (lease_lost const& e) {
    EXPECT_NE(e.details().message().find(": b"), std::string_view::npos) << e.details().message();
  }
  EXPECT_FALSE(b_.try_acquire("a", with_ttl())) << "kept until the release, so that the work can be stopped first";
  std::error_code ec;
  set.release(ec);
  EXPECT_TRUE(ec) << "one of them was not there to be released";
  EXPECT_TRUE(is_free("a"));
}

TEST_P(conformance, MULTI_3_its_deadline_is_the_earliest) {
  auto set = acquire_all(a_, {"a", "b"}, {.ttl = ttl(), .renew = renewal::manual});
  advance(ttl() / 8);
  EXPECT_EQ(set.deadline(), set.members()[0].deadline());
  EXPECT_LE(set.members()[0].deadline(), set.members()[1].deadline());
  auto const before = set.deadline();
  std::error_code ec;
  set.renew(ec);
  EXPECT_FALSE(ec);
  EXPECT_GT(set.deadline(), before);
}

TEST_P(conformance, MULTI_4_each_member_keeps_its_own_token) {
  NEEDS(fences(), "hand out tokens");
  auto set = acquire_all(a_, {"a", "b"}, with_ttl());
  EXPECT_EQ(set.token("a"), set.members()[0].token());
  EXPECT_EQ(set.token("b"), set.members()[1].token());
  EXPECT_THROW(static_cast<void>(set.token("c")), error);
  auto const a = set.token("a");
  auto const b = set.token("b");
  set.release();
  EXPECT_GT(b_.acquire("a", with_ttl()).token(), a);
  EXPECT_GT(b_.acquire("b", with_ttl()).token(), b);
}

TEST_P(conformance, MULTI_5_a_timeout_names_every_holder_in_the_way) {
  auto const c = fixture_->client({.identity = "c"});
  auto const first = b_.acquire("y", {.ttl = ttl_long()});
  auto const second = c.acquire("z", {.ttl = ttl_long()});
  std::error_code ec;
  diagnostics why;
  std::string_view const names[] = {"z", "y", "x"};
  EXPECT_FALSE(acquire_all(a_, names, {.ttl = ttl_long(), .wait = 0s}, {}, ec, &why));
  EXPECT_EQ(ec, errc::timed_out);
  EXPECT_NE(why.message().find("held by b"), std::string_view::npos) << why.message();
  EXPECT_NE(why.message().find("z is held by c"), std::string_view::npos) << why.message();
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, MULTI_5_two_who_wait_for_each_other_are_told_whom_they_wait_for) {
  auto const mine = a_.acquire("x", {.ttl = ttl_long()});
  auto const theirs = b_.acquire("y", {.ttl = ttl_long()});
  auto const wait = fixture_->is_virtual() ? duration(2s) : duration(100ms);
  pending one(a_, "y", {.ttl = ttl_long(), .wait = wait});
  pending other(b_, "x", {.ttl = ttl_long(), .wait = wait});
  EXPECT_FALSE(finish(one));
  EXPECT_FALSE(finish(other));
  EXPECT_EQ(one.error(), errc::timed_out);
  EXPECT_EQ(other.error(), errc::timed_out);
  ASSERT_TRUE(one.details().holder() && other.details().holder());
  EXPECT_EQ(one.details().holder()->identity, "b");
  EXPECT_EQ(other.details().holder()->identity, "a");
}

TEST_P(conformance, CANCEL_1_a_stop_gives_back_what_was_taken_of_many) {
  auto const blocker = b_.acquire("b", {.ttl = ttl_long()});
  std::stop_source stop;
  std::error_code ec;
  auto waiting = std::async(std::launch::async, [&] {
    std::string_view const names[] = {"a", "b"};
    return acquire_all(a_, names, {.ttl = ttl_long()}, stop.get_token(), ec);
  });
  ASSERT_TRUE(eventually([&] { return !is_free("a"); }));
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return waiting.wait_for(1ms) == std::future_status::ready; }));
  EXPECT_FALSE(waiting.get());
  EXPECT_EQ(ec, errc::cancelled);
  EXPECT_TRUE(is_free("a"));
}

TEST_P(conformance, MULTI_2_what_cannot_be_asked_for_takes_nothing) {
  std::error_code ec;
  std::string_view const bad[] = {"a", "b\n"};
  EXPECT_FALSE(acquire_all(a_, bad, {}, {}, ec));
  EXPECT_EQ(ec, errc::bad_name);
  EXPECT_FALSE(acquire_all(a_, std::span<std::string_view const>(), {}, {}, ec));
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_TRUE(is_free("a"));
  EXPECT_FALSE(multi_lease().held());
}

}  // namespace
}  // namespace leasehold::conformance
