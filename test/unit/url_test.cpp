// Decides whether store URLs are taken apart right, and bad ones refused with the part that is bad.
#include "spi/url.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace leasehold::test {
namespace {

using spi::parse_url;

spi::url parsed(std::string_view text) { return parse_url(text).value(); }

std::string refusal(std::string_view text) {
  auto const u = parse_url(text);
  if (u) return "accepted";
  EXPECT_EQ(u.error(), errc::bad_option) << text;
  return std::string(u.get_failure().details.message());
}

void expect_refused(std::string_view text, std::string_view part) {
  EXPECT_NE(refusal(text).find(part), std::string::npos) << text << ": " << refusal(text);
}

TEST(url, a_bare_scheme_is_whole) {
  auto const u = parsed("local:");
  EXPECT_EQ(u.scheme, "local");
  EXPECT_TRUE(u.path.empty() && u.hosts.empty() && u.query.empty() && u.user.empty() && u.password.empty());
}

TEST(url, all_parts) {
  auto const u = parsed("Redis+TLS://joe:s3cret@h1,h2:6380,[::1]:6381/0/x?lazy=1&ttl=30s&ttl=1s&flag");
  EXPECT_EQ(u.scheme, "redis+tls");
  EXPECT_EQ(u.user, "joe");
  EXPECT_EQ(u.password.reveal(), "s3cret");
  ASSERT_EQ(u.hosts.size(), 3U);
  EXPECT_EQ(u.hosts[0].host, "h1");
  EXPECT_EQ(u.hosts[0].port, 0);
  EXPECT_EQ(u.hosts[1].port, 6380);
  EXPECT_EQ(u.hosts[2].host, "::1");
  EXPECT_EQ(u.hosts[2].port, 6381);
  EXPECT_EQ(u.path, "/0/x");
  EXPECT_EQ(u.query.size(), 4U);
  EXPECT_EQ(u.get("ttl"), "30s");
  EXPECT_EQ(u.get("flag"), "");
  EXPECT_EQ(u.get("nothing"), std::nullopt);
}

TEST(url, paths_with_and_without_authority) {
  EXPECT_EQ(parsed("local:/var/lib/x").path, "/var/lib/x");
  EXPECT_EQ(parsed("local:relative").path, "relative");
  EXPECT_EQ(parsed("local:///var/x").path, "/var/x");
  EXPECT_TRUE(parsed("local:///var/x").hosts.empty());
  EXPECT_EQ(parsed("local:/a#b").path, "/a#b");
  EXPECT_EQ(parsed("local:/a:b@c").path, "/a:b@c");
}

TEST(url, percent_escapes_are_decoded_everywhere) {
  auto const u = parsed("x://us%65r:p%40ss%3A%2F@h%6Fst/a%20b%25?k%20=v%26w");
  EXPECT_EQ(u.user, "user");
  EXPECT_EQ(u.password.reveal(), "p@ss:/");
  EXPECT_EQ(u.hosts.at(0).host, "host");
  EXPECT_EQ(u.path, "/a b%");
  EXPECT_EQ(u.get("k "), "v&w");
}

TEST(url, bad_percent_escapes_name_their_part_and_not_their_text) {
  expect_refused("x:/a%", "path");
  expect_refused("x:/a%4", "path");
  expect_refused("x:/a%zz", "path");
  expect_refused("x:/a%4g", "path");
  expect_refused("x://u%:p@h", "user");
  expect_refused("x://u:hunter2%@h", "password");
  expect_refused("x://h%g/", "host");
  expect_refused("x:?k=%", "query");
  EXPECT_EQ(refusal("x://u:hunter2%@h").find("hunter2"), std::string::npos);
}

TEST(url, URI_2_line_breaks_and_control_characters_are_refused_in_every_part) {
  for (auto const* bad : {"\r", "\n", "%0d", "%0A", "%00", "%7f", "\t", "%1B"}) {
    std::string const b = bad;
    expect_refused("x:/a" + b, "path");
    expect_refused("x://u" + b + ":p@h", "user");
    expect_refused("x://u:p" + b + "@h", "password");
    expect_refused("x://h" + b + "/", "host");
    expect_refused("x://[::1" + b + "]/", "host");
    expect_refused("x:?k" + b + "=1", "query");
    expect_refused("x:?k=1" + b, "query");
    EXPECT_NE(refusal("x" + b + ":/"), "accepted");
  }
}

TEST(url, schemes) {
  expect_refused("", "scheme");
  expect_refused("nothing", "scheme");
  expect_refused(":/x", "scheme");
  expect_refused("1x:/", "scheme");
  expect_refused("+x:/", "scheme");
  expect_refused("a b:/", "scheme");
  expect_refused("ä:/", "scheme");
  EXPECT_EQ(parsed("A1+-.:").scheme, "a1+-.");
}

TEST(url, ports) {
  EXPECT_EQ(parsed("x://h:1").hosts.at(0).port, 1);
  EXPECT_EQ(parsed("x://h:65535").hosts.at(0).port, 65535);
  for (auto const* bad : {"x://h:", "x://h:0", "x://h:65536", "x://h:-1", "x://h:1x", "x://h:+1", "x://h: 1",
                          "x://[::1]x", "x://[::1]:"}) {
    expect_refused(bad, "port");
  }
}

TEST(url, hosts) {
  expect_refused("x://h1,,h2", "empty");
  expect_refused("x://,h", "empty");
  expect_refused("x://h,", "empty");
  expect_refused("x://:80", "empty");
  expect_refused("x://[]", "empty");
  expect_refused("x://[::1", "[ without ]");
  expect_refused("x://[a b]", "host");
  expect_refused("x://a%3Ab", "host");
  EXPECT_EQ(parsed("x://[fe80::1%25eth0]:80").hosts.at(0).host, "fe80::1%eth0");
}

TEST(url, user_info_ends_at_the_last_at_sign) {
  auto const u = parsed("x://joe:a@b:c@h");
  EXPECT_EQ(u.user, "joe");
  EXPECT_EQ(u.password.reveal(), "a@b:c");
  EXPECT_EQ(parsed("x://:only@h").password.reveal(), "only");
  EXPECT_EQ(parsed("x://joe@h").user, "joe");
  EXPECT_TRUE(parsed("x://joe:@h").password.empty());
  EXPECT_EQ(parsed("x://@h").hosts.size(), 1U);
}

TEST(url, queries) {
  expect_refused("x:?=v", "key");
  expect_refused("x:?a=1&&b=2", "key");
  EXPECT_EQ(parsed("x:?a=1=2").get("a"), "1=2");
  EXPECT_TRUE(parsed("x:?").query.empty());
}

TEST(url, the_limit_is_8_kib) {
  std::string const most = "x:" + std::string(8190, 'a');
  EXPECT_EQ(parsed(most).path.size(), 8190U);
  expect_refused(most + "a", "8192");
}

TEST(url, unknown_query_keys_are_named_with_the_nearest_known_one) {
  auto const check = [](std::string_view text) { return spi::check_query(parsed(text), {"ttl", "mode", "capacity"}); };
  EXPECT_TRUE(check("local:?ttl=1&mode=2&capacity=3&lazy=1&require=fifo"));
  auto const near = check("local:?capcity=3");
  ASSERT_FALSE(near);
  EXPECT_EQ(near.error(), errc::bad_option);
  EXPECT_NE(near.get_failure().details.message().find("capcity"), std::string::npos);
  EXPECT_NE(near.get_failure().details.hint().find("capacity"), std::string::npos);
  EXPECT_NE(check("local:?lzay=1").get_failure().details.hint().find("lazy"), std::string::npos);
  auto const far = check("local:?wombat=3");
  EXPECT_EQ(far.get_failure().details.hint().find("did you mean"), std::string::npos);
  EXPECT_FALSE(far.get_failure().details.hint().empty());
  EXPECT_FALSE(check("local:?TTL=1")) << "keys are case-sensitive";
}

}  // namespace
}  // namespace leasehold::test
