// Decides whether durations written by people are read as they mean them, and refused when they mean nothing.
#include "spi/url.hpp"
#include "unit/moments.hpp"

#include <gtest/gtest.h>

#include <string>

namespace leasehold::test {
namespace {

using spi::parse_duration;

TEST(parse_duration, units) {
  EXPECT_EQ(*parse_duration("500ms"), 500ms);
  EXPECT_EQ(*parse_duration("30s"), 30s);
  EXPECT_EQ(*parse_duration("5m"), 5min);
  EXPECT_EQ(*parse_duration("2h"), 2h);
  EXPECT_EQ(*parse_duration("1d"), 24h);
  EXPECT_EQ(*parse_duration("7us"), 7us);
  EXPECT_EQ(*parse_duration("9ns"), 9ns);
  EXPECT_EQ(*parse_duration("30"), 30s);
  EXPECT_EQ(*parse_duration("0"), 0s);
  EXPECT_EQ(*parse_duration("0s"), 0s);
}

TEST(parse_duration, fractions_come_out_to_the_nanosecond) {
  EXPECT_EQ(*parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(*parse_duration("0.1"), 100ms);
  EXPECT_EQ(*parse_duration("4.35s"), 4350ms);
  EXPECT_EQ(*parse_duration("1.005s"), 1005ms);
  EXPECT_EQ(*parse_duration("2.3ms"), 2300us);
  EXPECT_EQ(*parse_duration("1.000000001s"), 1s + 1ns);
}

TEST(parse_duration, RENEW_9_what_is_no_duration_is_refused_and_named) {
  for (std::string const bad :
       {"",    "s",        "ms",   "-1s",  "-0",   "-",    "+1s",   "1 s", " 1s", "1s ",    "1x",
        "1S",  "1e3",      "1e3s", "0x10", "1,5s", "1s1s", "1..5s", "nan", "NaN", "nan(1)", "nans",
        "inf", "infinity", "infs", "-inf", "-nan", "1s\n", "\xFF",  ".",   "..s"}) {
    auto const d = parse_duration(bad);
    ASSERT_FALSE(d) << bad << " read as " << d->count();
    EXPECT_EQ(d.error(), errc::bad_option);
    EXPECT_NE(d.get_failure().details.message().find(bad), std::string_view::npos) << d.get_failure().details.message();
    EXPECT_FALSE(d.get_failure().details.hint().empty());
  }
}

TEST(parse_duration, RENEW_9_overflow_is_refused) {
  for (std::string const bad :
       {"9223372037s", "9223372037", "106752d", "99999999999999999999999999h", "9223372036854775808ns",
        "9999999999999999999999999999999999999999999999999999999999999999"}) {
    auto const d = parse_duration(bad);
    ASSERT_FALSE(d) << bad;
    EXPECT_EQ(d.error(), errc::bad_option);
  }
  EXPECT_GT(*parse_duration("106751d"), 24h);
  EXPECT_GT(*parse_duration("9223372036s"), 24h);
}

TEST(parse_duration, a_long_text_is_not_repeated_in_full) {
  auto const d = parse_duration(std::string(10'000, 'x'));
  ASSERT_FALSE(d);
  EXPECT_LT(d.get_failure().details.message().size(), 200U);
}

}  // namespace
}  // namespace leasehold::test
