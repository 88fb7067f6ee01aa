// Decides whether errors tell callers apart what they must react to differently, and carry their words unharmed.
#include <leasehold/error.hpp>
#include <leasehold/info.hpp>
#include <leasehold/result.hpp>

#include "unit/moments.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

namespace leasehold::test {
namespace {

constexpr int last_errc = static_cast<int>(errc::internal);

std::error_code code(int value) { return make_error_code(static_cast<errc>(value)); }

TEST(error, every_code_is_retryable_or_fatal_except_the_four) {
  std::set<errc> const neither{errc::lost, errc::expired, errc::not_owner, errc::cancelled};
  for (int i = 1; i <= last_errc; ++i) {
    int const conditions = (code(i) == errcond::retryable ? 1 : 0) + (code(i) == errcond::fatal ? 1 : 0);
    EXPECT_EQ(conditions, neither.contains(static_cast<errc>(i)) ? 0 : 1) << code(i).message();
  }
}

TEST(error, which_codes_may_succeed_later) {
  for (auto const e : {errc::timed_out, errc::probation, errc::outcome_unknown, errc::unavailable})
    EXPECT_EQ(make_error_code(e), errcond::retryable);
  for (auto const e : {errc::auth, errc::misconfigured, errc::mode_mismatch, errc::unsupported, errc::bad_name,
                       errc::bad_option, errc::internal}) {
    EXPECT_EQ(make_error_code(e), errcond::fatal);
  }
}

TEST(error, success_and_foreign_codes_match_no_condition) {
  for (std::error_code const c :
       {std::error_code{}, code(0), code(last_errc + 1), code(-1), make_error_code(std::errc::timed_out)}) {
    EXPECT_NE(c, errcond::retryable) << c.message();
    EXPECT_NE(c, errcond::fatal) << c.message();
  }
}

TEST(error, every_code_has_words_of_its_own) {
  std::set<std::string> seen;
  for (int i = 1; i <= last_errc; ++i) EXPECT_TRUE(seen.insert(code(i).message()).second) << code(i).message();
  EXPECT_FALSE(code(last_errc + 1).message().empty());
  EXPECT_STREQ(error_category().name(), "leasehold");
  EXPECT_FALSE(make_error_condition(errcond::retryable).message().empty());
  EXPECT_NE(make_error_condition(errcond::retryable).message(), make_error_condition(errcond::fatal).message());
  EXPECT_STRNE(condition_category().name(), error_category().name());
}

TEST(diagnostics, empty_ones_answer_empty) {
  diagnostics const none;
  EXPECT_TRUE(none.empty());
  EXPECT_TRUE(none.message().empty() && none.hint().empty() && none.server_text().empty());
  EXPECT_EQ(none.holder(), nullptr);
  EXPECT_EQ(none.retry_after(), 0s);
}

TEST(diagnostics, parts_are_kept_apart_and_copies_share_them) {
  diagnostics const a("what", "do this", "ERR wrong");
  auto const b = a;
  EXPECT_EQ(b.message(), "what");
  EXPECT_EQ(b.hint(), "do this");
  EXPECT_EQ(b.server_text(), "ERR wrong");
  EXPECT_EQ(a.message().data(), b.message().data());
}

TEST(diagnostics, additions_leave_the_original_alone) {
  diagnostics const a("what");
  auto holder = std::make_shared<holder_info>();
  holder->identity = "them";
  auto const b = a.with_holder(holder).with_retry_after(3s);
  EXPECT_EQ(a.holder(), nullptr);
  EXPECT_EQ(a.retry_after(), 0s);
  ASSERT_NE(b.holder(), nullptr);
  EXPECT_EQ(b.holder()->identity, "them");
  EXPECT_EQ(b.retry_after(), 3s);
  EXPECT_EQ(b.message(), "what");
  EXPECT_EQ(diagnostics().with_retry_after(1s).retry_after(), 1s);
  EXPECT_EQ(diagnostics().with_holder(holder).holder(), holder.get());
}

TEST(error, what_is_thrown_carries_code_and_words) {
  try {
    failure(make_error_code(errc::auth), diagnostics("refused", "log in", "NOAUTH")).raise();
  } catch (error const& e) {
    EXPECT_EQ(e.code(), errc::auth);
    EXPECT_EQ(e.details().server_text(), "NOAUTH");
    EXPECT_NE(std::string(e.what()).find("refused"), std::string::npos);
    EXPECT_EQ(std::string(e.what()).find("NOAUTH"), std::string::npos) << "the engine's words may hold user data";
    return;
  }
  FAIL();
}

TEST(error, loss_is_thrown_as_lease_lost_and_system_errors_keep_their_category) {
  EXPECT_THROW(failure(errc::lost).raise(), lease_lost);
  EXPECT_THROW(failure(errc::expired).raise(), error);
  try {
    failure(make_error_code(std::errc::no_space_on_device)).raise();
  } catch (std::system_error const& e) {
    EXPECT_EQ(e.code(), std::errc::no_space_on_device);
  }
}

TEST(result, a_value) {
  result<std::string> r(std::string("x"));
  EXPECT_TRUE(r);
  EXPECT_FALSE(r.error());
  EXPECT_EQ(*r, "x");
  EXPECT_EQ(r->size(), 1U);
  r.value() += "y";
  EXPECT_EQ(std::move(r).value(), "xy");
}

TEST(result, a_failure_throws_on_value) {
  result<std::string> r(failure(make_error_code(errc::bad_name), diagnostics("why")));
  EXPECT_FALSE(r);
  EXPECT_EQ(r.error(), errc::bad_name);
  EXPECT_EQ(r.get_failure().details.message(), "why");
  EXPECT_THROW(static_cast<void>(r.value()), error);
  EXPECT_THROW(static_cast<void>(std::move(r).value()), error);
  EXPECT_THROW(static_cast<void>(result<int>(errc::lost).value()), lease_lost);
}

TEST(result, move_only_values_move_through) {
  result<std::unique_ptr<int>> r(std::make_unique<int>(7));
  auto p = std::move(r).value();
  EXPECT_EQ(*p, 7);
  result<std::unique_ptr<int>> const failed(errc::timed_out);
  EXPECT_FALSE(failed);
}

TEST(result, of_nothing) {
  result<void> const good;
  EXPECT_TRUE(good);
  EXPECT_FALSE(good.error());
  EXPECT_NO_THROW(good.value());
  result<void> const bad(errc::unavailable);
  EXPECT_FALSE(bad);
  EXPECT_EQ(bad.error(), errc::unavailable);
  EXPECT_THROW(bad.value(), error);
}

}  // namespace
}  // namespace leasehold::test
