// Decides which names and stores are kept apart, and what bad input meets.
#include "conformance/suite.hpp"

#include <algorithm>
#include <string>
#include <vector>

namespace leasehold::conformance {
namespace {

TEST_P(conformance, NAME_3_good_names_round_trip_and_stay_apart) {
  std::vector<std::string> names{"x",
                                 "X",
                                 " x",
                                 "x ",
                                 "../x",
                                 "/",
                                 "a/b/c",
                                 "{tag}x",
                                 "%2F",
                                 "*",
                                 "\\",
                                 "\"quoted\"",
                                 "caf\u00e9",
                                 "cafe\u0301",
                                 "\U0001F512",
                                 std::string(255, 'n'),
                                 std::string(254, 'n')};
  std::vector<lease> held;
  for (auto const& name : names) held.push_back(a_.acquire(name));
  std::vector<std::string> listed;
  for (auto const& info : b_.list()) listed.push_back(info.name);
  std::ranges::sort(names);
  EXPECT_EQ(listed, names);
  for (auto const& name : names) {
    EXPECT_FALSE(b_.try_acquire(name)) << name;
    EXPECT_EQ(b_.inspect(name).name, name);
  }
}

TEST_P(conformance, NAME_3_bad_names_are_refused_everywhere_and_nothing_is_locked) {
  using namespace std::string_literals;
  for (auto const& bad : {""s, "a\0b"s, "a\nb"s, "\x7f"s, "\xff"s, "\xc0\xaf"s, "\xed\xa0\x80"s, std::string(256, 'n'),
                          std::string(4096, 'n')}) {
    std::error_code ec;
    EXPECT_FALSE(a_.acquire(bad, {}, {}, ec));
    EXPECT_EQ(ec, errc::bad_name);
    EXPECT_EQ(a_.try_acquire(bad, {}, std::nothrow).error(), errc::bad_name);
    EXPECT_EQ(a_.inspect(bad, std::nothrow).error(), errc::bad_name);
    EXPECT_EQ(a_.evict(bad, 1, {}, std::nothrow).error(), errc::bad_name);
    EXPECT_FALSE(a_.adopt(bad, "t", {}, ec));
    EXPECT_EQ(ec, errc::bad_name);
    EXPECT_THROW(mutex(a_, bad), error);
  }
  EXPECT_TRUE(b_.list().empty());
}

TEST_P(conformance, NAME_5_namespaces_keep_names_apart) {
  auto const one = fixture_->client({.name_space = "one/"});
  auto const two = fixture_->client({.name_space = "two/"});
  auto const held = one.acquire("x");
  EXPECT_EQ(held.name(), "x");
  EXPECT_TRUE(two.try_acquire("x"));
  EXPECT_TRUE(a_.try_acquire("x"));
  EXPECT_FALSE(a_.try_acquire("one/x")) << "a namespace is a prefix";
  ASSERT_EQ(one.list().size(), 1U);
  EXPECT_EQ(one.list().front().name, "x");
  EXPECT_TRUE(two.list().empty());
}

TEST_P(conformance, NAME_6_errors_name_the_offending_part) {
  std::error_code ec;
  diagnostics why;
  EXPECT_FALSE(a_.acquire("x", {.wait = -1s}, {}, ec, &why));
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_NE(why.message().find("wait"), std::string_view::npos);
  EXPECT_FALSE(a_.acquire("x", {.hold_at_least = -1s}, {}, ec, &why));
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_NE(why.message().find("hold_at_least"), std::string_view::npos);
  EXPECT_FALSE(a_.acquire("x", {.max_hold = 0s}, {}, ec, &why));
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_NE(why.message().find("max_hold"), std::string_view::npos);
  EXPECT_TRUE(ec == errcond::fatal);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, NAME_7_metadata_beyond_the_limit_is_refused) {
  std::string const reason(traits().metadata_bytes_max + 1, 'r');
  std::error_code ec;
  EXPECT_FALSE(a_.acquire("x", {.reason = reason}, {}, ec));
  EXPECT_EQ(ec, errc::bad_option);
  EXPECT_TRUE(is_free("x"));
}

TEST_P(conformance, TRAIT_2_a_requirement_beyond_the_traits_is_refused_and_one_within_is_not) {
  for (auto const need : {exclusion::best_effort, exclusion::timed, exclusion::exact}) {
    std::error_code ec;
    auto const got = a_.acquire("x", {.require = {.exclusion = need}}, {}, ec);
    EXPECT_EQ(static_cast<bool>(got), traits().exclusion >= need);
    if (!got) {
      EXPECT_EQ(ec, errc::unsupported);
    }
  }
  for (auto const need : {exclusion::best_effort, exclusion::timed, exclusion::exact}) {
    std::error_code ec;
    auto const got = a_.acquire("x", {.ttl = ttl(), .require = {.exclusion = need}}, {}, ec);
    EXPECT_EQ(static_cast<bool>(got), traits().exclusion_with_ttl >= need);
  }
  std::error_code ec;
  auto const fenced = a_.acquire("x", {.require = {.fencing = fencing::always}}, {}, ec);
  EXPECT_EQ(static_cast<bool>(fenced), traits().fencing == fencing::always);
  auto const fair = a_.acquire("y", {.require = {.fifo = true}}, {}, ec);
  EXPECT_EQ(static_cast<bool>(fair), traits().waiting == waiting::fifo);
  EXPECT_FALSE(traits().summary.empty());
}

}  // namespace
}  // namespace leasehold::conformance
