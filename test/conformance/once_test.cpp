// Decides what "once" means: one completion per window, its result for everybody after, another attempt after a crash, and no record by
// whoever has lost the lock.
#include "conformance/suite.hpp"

#include <array>
#include <atomic>
#include <iterator>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

class once_conformance : public conformance {
 protected:
  /// Work that says how often it was done.
  [[nodiscard]] std::function<std::string(lease&)> counted() {
    return [this](lease&) { return "run " + std::to_string(++runs_); };
  }
  [[nodiscard]] once_options quickly() const { return {.ttl = ttl()}; }
  [[nodiscard]] duration window() const { return 10 * ttl(); }

  std::atomic<int> runs_ = 0;
};

#define NEEDS_RECORDS() NEEDS(traits().result_bytes_max > 0, "record completions")

TEST_P(once_conformance, ONCE_1_a_second_caller_gets_the_stored_result_and_runs_nothing) {
  NEEDS_RECORDS();
  EXPECT_FALSE(a_.find_completion("x"));
  auto const first = once(a_, "x", window(), counted(), quickly());
  EXPECT_TRUE(first.ran);
  EXPECT_EQ(first.value, "run 1");
  EXPECT_TRUE(is_free("x"));
  auto const second = once(b_, "x", window(), counted(), quickly());
  EXPECT_FALSE(second.ran);
  EXPECT_EQ(second.value, "run 1");
  EXPECT_EQ(second.token, first.token);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(once(b_, "y", window(), counted(), quickly()).value, "run 2");
}

TEST_P(once_conformance, ONCE_1_callers_at_once_share_one_run) {
  NEEDS_RECORDS();
  std::vector<std::jthread> callers;
  std::atomic<int> same = 0;
  for (int i = 0; i < 6; ++i) {
    callers.emplace_back([&, i] {
      try {
        same += once(i % 2 == 0 ? a_ : b_, "x", 24h, counted(), {.ttl = 30s}).value == "run 1";
      } catch (error const& e) {
        ADD_FAILURE() << e.what();
      }
    });
  }
  EXPECT_TRUE(eventually([&] { return same == 6; }));
  callers.clear();
  EXPECT_EQ(runs_, 1);
}

TEST_P(once_conformance, ONCE_2_after_the_window_it_runs_again) {
  NEEDS_RECORDS();
  EXPECT_EQ(once(a_, "x", ttl(), counted(), quickly()).value, "run 1");
  auto const found = b_.find_completion("x");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->result, "run 1");
  EXPECT_GT(found->until, now());
  EXPECT_LE(found->until, now() + ttl() + 5ms);
  advance(ttl() + 20ms);
  EXPECT_FALSE(b_.find_completion("x"));
  auto const again = once(b_, "x", window(), counted(), quickly());
  EXPECT_TRUE(again.ran);
  EXPECT_EQ(again.value, "run 2");
}

TEST_P(once_conformance, ONCE_2_a_window_that_cannot_be_is_refused_before_anything_runs) {
  NEEDS_RECORDS();
  for (duration const bad : {duration(0), duration(-1h), duration(999us), duration(24h * 367)}) {
    try {
      once(a_, "x", bad, counted(), quickly());
      ADD_FAILURE() << "a window of " << bad.count() << " ns was taken";
    } catch (error const& e) {
      EXPECT_EQ(e.code(), errc::bad_option);
    }
  }
  EXPECT_EQ(runs_, 0);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(once_conformance, ONCE_3_a_crash_in_the_middle_is_retried_by_the_next_who_sees_the_note) {
  NEEDS_RECORDS();
  auto const doomed = fixture_->start_party(
      "x", {.ttl = traits().ttl_default ? std::optional(ttl()) : std::nullopt, .identity = "doomed", .note = "row 41"});
  NEEDS(doomed != nullptr, "run a second party");
  doomed->await_grant();
  std::string note;
  std::optional<once_result> done;
  std::atomic<bool> is_done = false;
  std::jthread caller([&] {
    done = once(
        b_, "x", 24h,
        [&](lease& l) {
          auto const before = l.previous();
          note = before ? before->who.identity + ": " + before->who.note : "nobody";
          ++runs_;
          return std::string("repaired");
        },
        quickly());
    is_done = true;
  });
  ASSERT_TRUE(await_waiters("x", 1));
  EXPECT_EQ(runs_, 0);
  doomed->kill();
  ASSERT_TRUE(eventually([&] { return is_done.load(); }));
  EXPECT_EQ(done->value, "repaired");
  EXPECT_EQ(note, "doomed: row 41");
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(once(a_, "x", 24h, counted(), quickly()).value, "repaired");
}

TEST_P(once_conformance, ONCE_4_the_late_completion_of_a_frozen_attempt_is_refused) {
  NEEDS_RECORDS();
  auto const frozen = fixture_->start_party("x", {.ttl = ttl(), .identity = "frozen", .note = "row 7"});
  NEEDS(frozen != nullptr, "run a second party");
  frozen->await_grant();
  frozen->pause();
  std::optional<once_result> done;
  std::atomic<bool> is_done = false;
  std::jthread caller([&] {
    done = once(b_, "x", 24h, counted(), quickly());
    is_done = true;
  });
  ASSERT_TRUE(eventually([&] { return is_done.load(); }));
  EXPECT_EQ(done->value, "run 1");
  frozen->resume();
  EXPECT_EQ(frozen->complete("late"), errc::lost);
  EXPECT_EQ(a_.find_completion("x")->result, "run 1");
}

TEST_P(once_conformance, ONCE_4_a_completion_after_the_deadline_is_refused_although_nobody_came) {
  NEEDS_RECORDS();
  auto held = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual});
  advance(ttl() + 20ms);
  std::error_code ec;
  held.complete("late", 24h, ec);
  EXPECT_EQ(ec, errc::lost);
  EXPECT_FALSE(b_.find_completion("x"));
}

TEST_P(once_conformance, ONCE_4_a_completion_of_an_evicted_attempt_is_refused) {
  NEEDS_RECORDS();
  auto held = a_.acquire("x", with_ttl());
  NEEDS(held.has_token(), "evict");
  b_.evict("x", held.token(), {.reason = "test", .now = true});
  std::error_code ec;
  held.complete("late", 24h, ec);
  EXPECT_EQ(ec, errc::lost);
  EXPECT_FALSE(b_.find_completion("x"));
}

TEST_P(once_conformance, ONCE_5_work_that_throws_records_nothing_and_the_next_runs) {
  NEEDS_RECORDS();
  auto const fails = [](lease&) -> std::string { throw std::runtime_error("the user's own"); };
  EXPECT_THROW(once(a_, "x", window(), fails, quickly()), std::runtime_error);
  EXPECT_TRUE(is_free("x"));
  EXPECT_FALSE(b_.find_completion("x"));
  EXPECT_EQ(once(b_, "x", window(), counted(), quickly()).value, "run 1");
}

TEST_P(once_conformance, ONCE_6_results_are_bytes_and_bounded) {
  NEEDS_RECORDS();
  std::string const bytes("\0\n\r\xff%&=$-1", 10);
  std::string const longest(traits().result_bytes_max, 'r');
  for (auto const& value : {std::string(), bytes, longest}) {
    auto const name = "x" + std::to_string(value.size());
    EXPECT_EQ(once(
                  a_, name, 24h, [&](lease&) { return value; }, quickly())
                  .value,
              value);
    auto const again = once(b_, name, 24h, counted(), quickly());
    EXPECT_EQ(again.value, value);
    EXPECT_FALSE(again.ran);
  }
  try {
    once(
        a_, "y", 24h, [&](lease&) { return longest + "r"; }, quickly());
    ADD_FAILURE() << "a result that is too long was recorded";
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::bad_option);
  }
  EXPECT_FALSE(b_.find_completion("y"));
  EXPECT_TRUE(is_free("y"));
}

TEST_P(once_conformance, ONCE_7_what_is_recorded_first_stays) {
  NEEDS_RECORDS();
  auto held = a_.acquire("x", with_ttl());
  held.complete("first", 24h);
  held.complete("second", 24h);
  EXPECT_EQ(b_.find_completion("x")->result, "first");
  EXPECT_TRUE(held.held());
  EXPECT_EQ(release(held), std::error_code{});
  auto other = b_.acquire("x", with_ttl());
  std::error_code ec;
  other.complete("third", 24h, ec);
  EXPECT_EQ(ec, errc::not_owner);
  EXPECT_EQ(b_.find_completion("x")->result, "first");
  // A note of a later holder, and its death, leave the record alone.
  other.note("just looking");
  EXPECT_EQ(b_.find_completion("x")->result, "first");
  EXPECT_EQ(release(other), std::error_code{});
}

/// One call as its caller saw it, on the engine's clock.
struct call {
  time_point worked{};  ///< when the work ended; of one that ran
  time_point returned{};
  std::string value;
  bool ran = false;
};

TEST_P(once_conformance, ONCE_13_calls_at_random_see_one_completion_per_window) {
  NEEDS_RECORDS();
  NEEDS(!fixture_->is_virtual(), "let time pass by itself");
  constexpr duration window = 20ms;
  constexpr std::size_t threads = 4;
  constexpr int windows = 8;
  std::atomic<int> done = 0;
  std::array<std::vector<call>, threads> seen;
  std::vector<std::future<void>> running;
  for (std::size_t id = 0; id < threads; ++id) {
    running.push_back(std::async(std::launch::async, [&, id] {
      auto const mine = fixture_->client();
      while (done < windows) {
        call c;
        auto const work = [&](lease&) {
          auto value = "run " + std::to_string(++runs_);
          if (runs_ % 3 == 0) throw std::runtime_error("an attempt fails");
          c.worked = now();
          return value;
        };
        try {
          auto const got = once(mine, "x", window, work, quickly());
          c.value = got.value;
          c.ran = got.ran;
          c.returned = now();
          done += got.ran;
          seen[id].push_back(c);
        } catch (std::runtime_error const& e) {
          EXPECT_STREQ(e.what(), "an attempt fails");
        }
      }
    }));
  }
  for (auto& r : running) r.get();
  std::vector<call> completed;
  std::set<std::string> results;
  for (auto const& one : seen) std::ranges::copy_if(one, std::back_inserter(completed), &call::ran);
  std::ranges::sort(completed, {}, &call::returned);
  for (std::size_t i = 0; i < completed.size(); ++i) {
    EXPECT_TRUE(results.insert(completed[i].value).second) << completed[i].value << " was told by two that ran";
    if (i == 0) continue;
    // The record was written after the work and before the return, and lasted for the window.
    EXPECT_GE(completed[i].returned - completed[i - 1].worked, window - 2ms);
  }
  for (auto const& one : seen) {
    for (auto const& c : one) EXPECT_TRUE(results.contains(c.value)) << c.value << " was never completed";
  }
  EXPECT_GE(completed.size(), std::size_t{windows});
}

TEST_P(once_conformance, ONCE_8_a_completion_whose_reply_was_lost_is_recorded_once) {
  NEEDS_RECORDS();
  auto held = a_.acquire("x", with_ttl());
  held.complete("warm-up", 1ms);  // a script that the server does not know yet takes two requests
  advance(20ms);
  NEEDS(fixture_->lose_replies(a_, 1), "lose replies");
  held.complete("done", 24h);
  EXPECT_EQ(b_.find_completion("x")->result, "done");
}

TEST_P(once_conformance, ONCE_9_a_stop_ends_the_wait_for_anothers_attempt) {
  NEEDS_RECORDS();
  auto held = a_.acquire("x", {.ttl = 30s});
  std::stop_source stop;
  std::error_code why;
  std::jthread caller([&] {
    try {
      once(b_, "x", 24h, counted(), {.ttl = 30s}, stop.get_token());
    } catch (error const& e) {
      why = e.code();
    }
  });
  ASSERT_TRUE(await_waiters("x", 1));
  stop.request_stop();
  caller.join();
  EXPECT_EQ(why, errc::cancelled);
  EXPECT_EQ(runs_, 0);
  EXPECT_TRUE(held.held());
  EXPECT_TRUE(a_.inspect("x").waiters.empty());
}

TEST_P(once_conformance, ONCE_9_a_wait_for_anothers_attempt_is_bounded) {
  NEEDS_RECORDS();
  auto held = a_.acquire("x", {.ttl = 30s});
  try {
    once(b_, "x", 24h, counted(), {.ttl = 30s, .wait = duration(0)});
    ADD_FAILURE();
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::timed_out);
  }
  EXPECT_EQ(runs_, 0);
}

TEST_P(once_conformance, ONCE_10_an_engine_without_records_refuses_before_anything_runs) {
  if (traits().result_bytes_max > 0) GTEST_SKIP() << "engine " << GetParam().label << " records completions";
  try {
    once(a_, "x", 24h, counted(), quickly());
    ADD_FAILURE();
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::unsupported);
  }
  EXPECT_EQ(runs_, 0);
  std::error_code ec;
  a_.acquire("x", with_ttl()).complete("done", 24h, ec);
  EXPECT_EQ(ec, errc::unsupported);
}

TEST_P(once_conformance, ONCE_10_readers_complete_nothing) {
  NEEDS_RECORDS();
  auto reader = a_.acquire("x", {.ttl = ttl(), .mode = mode::reader()});
  std::error_code ec;
  reader.complete("done", 24h, ec);
  EXPECT_EQ(ec, errc::unsupported);
}

INSTANTIATE_TEST_SUITE_P(, once_conformance, testing::ValuesIn(registry()),
                         [](auto const& each) { return std::string(each.param.label); });

}  // namespace
}  // namespace leasehold::conformance
