// Decides whether the acquire machine keeps its invariants whatever it is told: every sequence of inputs up to a depth.
#include "model/acquire_machine.hpp"
#include "unit/moments.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace leasehold::test {
namespace {

using model::acquire_action;
using model::acquire_machine;
using model::acquire_step;

/// What an engine may know of the claim, pessimistically.
struct engine_view {
  bool may_hold = false;
  bool may_wait = false;
};

class explorer {
 public:
  explicit explorer(std::optional<duration> wait) : wait_(wait) {}

  void run(int depth) {
    acquire_machine m(wait_);
    auto const first = m.start(at(0s));
    look(m, first, {}, at(0s), false, depth, "start");
    EXPECT_GT(ends_, 0);
    EXPECT_GT(takes_, 0);
  }
  [[nodiscard]] long ends() const { return ends_; }

 private:
  struct reply {
    errc code;  // errc{}: see `grant`
    bool grant;
  };

  void look(acquire_machine m, acquire_step step, engine_view view, time_point now, bool stopped, int depth,
            std::string const& path) {
    switch (step.what) {
      case acquire_action::take:
        ++takes_, ++ends_;
        return;
      case acquire_action::fail:
        ++ends_;
        EXPECT_TRUE(step.why) << path;
        EXPECT_FALSE(view.may_hold) << "left held: " << path;
        EXPECT_FALSE(view.may_wait) << "left waiting: " << path;
        EXPECT_TRUE(step.why != errc::cancelled || stopped || cancelled_by_engine_) << path;
        return;
      case acquire_action::withdraw:
        if (depth == 0) return;
        for (auto const passed : {duration{0}, duration{2s}}) {
          auto next = m;
          look(next, next.withdrawn(now + passed), {}, now + passed, stopped, depth - 1, path + " withdrawn");
        }
        return;
      case acquire_action::sleep:
        return sleep(m, step, view, now, stopped, depth, path);
      case acquire_action::attempt:
      case acquire_action::attempt_once:
        return answer(m, step.what, view, now, stopped, depth, path);
    }
  }

  void sleep(acquire_machine const& m, acquire_step step, engine_view view, time_point now, bool stopped, int depth,
             std::string const& path) {
    EXPECT_GE(step.until, now) << path;
    if (wait_) {
      EXPECT_LE(step.until, at(*wait_)) << path;
      EXPECT_LT(now, at(*wait_)) << "asleep after the end of the wait: " << path;
    }
    if (depth == 0) return;
    for (bool const stop : {false, true}) {
      for (auto const woken : {now, step.until}) {
        auto next = m;
        auto const s = next.woke(woken, stop);
        if (stop) {
          EXPECT_EQ(s.what, acquire_action::withdraw) << path;
        }
        look(next, s, view, woken, stopped || stop, depth - 1, path + (stop ? " stopped" : " woke"));
      }
    }
  }

  void answer(acquire_machine const& m, acquire_action asked, engine_view view, time_point now, bool stopped, int depth,
              std::string const& path) {
    if (depth == 0) return;
    bool const in_line = asked == acquire_action::attempt;
    EXPECT_FALSE(stopped) << "asked after a stop: " << path;
    EXPECT_FALSE(view.may_hold) << "asked while perhaps holding: " << path;
    for (auto const passed : {duration{0}, duration{2s}}) {
      auto const then = now + passed;
      {
        auto next = m;
        auto const s = next.granted(then, now + 1s);
        EXPECT_EQ(s.what, then < now + 1s ? acquire_action::take : acquire_action::withdraw) << path;
        look(next, s, {true, false}, then, stopped, depth - 1, path + " granted");
      }
      {
        auto next = m;
        look(next, next.refused(then, 10ms), {false, in_line}, then, stopped, depth - 1, path + " refused");
      }
      for (auto const e : {errc::outcome_unknown, errc::unavailable, errc::probation, errc::auth, errc::cancelled}) {
        auto next = m;
        auto const s = next.failed(then, make_error_code(e), 0s);
        bool const unknown = e == errc::outcome_unknown;
        if (unknown) {
          EXPECT_EQ(s.what, acquire_action::withdraw) << path;
        }
        cancelled_by_engine_ = e == errc::cancelled;
        look(next, s, {unknown, view.may_wait || (unknown && in_line)}, then, stopped, depth - 1,
             path + " " + make_error_code(e).message());
        cancelled_by_engine_ = false;
      }
    }
  }

  std::optional<duration> wait_;
  bool cancelled_by_engine_ = false;
  long ends_ = 0;
  long takes_ = 0;
};

TEST(acquire_explore, CANCEL_1_no_sequence_of_answers_leaves_anything_behind) {
  for (auto const wait : {std::optional<duration>{}, std::optional<duration>{0s}, std::optional<duration>{3s}}) {
    explorer all(wait);
    all.run(9);
    if (!wait || *wait > 0s) {
      EXPECT_GT(all.ends(), 10'000);
    }
  }
}

}  // namespace
}  // namespace leasehold::test
