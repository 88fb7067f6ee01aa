// Decides which redis URLs are read, how, and what the others are told.
#include "engines/redis/settings.hpp"
#include "engines/redis/metadata.hpp"
#include "engines/redis/names.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace leasehold::redis {
namespace {

result<settings> read(std::string_view text) {
  auto const u = spi::parse_url(text);
  if (!u) return u.get_failure();
  return settings_of(*u);
}

TEST(redis_settings, places_and_logins_are_read) {
  auto const plain = read("redis://");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "localhost");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_TRUE(plain->guarded);
  EXPECT_EQ(plain->max_ttl, std::chrono::seconds(60));
  auto const full =
      read("rediss://me:s%40cret@h.example:7000/3?safety=best&max_ttl=5m&ca=/a&cert=/b&key=/c&server_name=n");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->user, "me");
  EXPECT_EQ(full->password.reveal(), "s@cret");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->db, 3);
  EXPECT_FALSE(full->guarded);
  EXPECT_EQ(full->max_ttl, std::chrono::minutes(5));
  EXPECT_TRUE(full->tls.on && full->tls.verify);
  EXPECT_EQ(full->tls.server_name, "n");
  auto const local = read("redis+unix:///run/redis.sock?db=2");
  ASSERT_TRUE(local);
  EXPECT_EQ(local->socket, "/run/redis.sock");
  EXPECT_EQ(local->db, 2);
  EXPECT_EQ(read("redis://[::1]:7")->host, "::1");
  EXPECT_FALSE(read("rediss://h?insecure=1")->tls.verify);
}

TEST(redis_settings, URI_1_what_is_shown_never_holds_a_secret) {
  auto const s = read("redis://me:hunter2@h:1");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->shown, "redis at h:1");
  auto const bad = read("redis://me:hunter2@h:1/x?safety=y");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.get_failure().details.message().find("hunter2"), std::string_view::npos);
}

TEST(redis_settings, URI_3_verification_is_on_and_only_insecure_1_turns_it_off) {
  EXPECT_TRUE(read("rediss://h")->tls.verify);
  EXPECT_TRUE(read("rediss://h?insecure=0")->tls.verify);
  EXPECT_FALSE(read("rediss://h?insecure=yes"));
  EXPECT_FALSE(read("redis://h?insecure=1")) << "there is no TLS to be insecure";
}

TEST(redis_settings, bad_urls_name_the_part) {
  struct {
    std::string_view url;
    std::string_view part;
  } const cases[]{{"redis://a,b", "one server"},
                  {"redis://h/one", "one"},
                  {"redis://h/-1", "-1"},
                  {"redis://h/1/2", "1/2"},
                  {"redis+unix://host/p", "host"},
                  {"redis+unix:relative", "path"},
                  {"redis://h?safty=best", "safty"},
                  {"redis://h?safety=worst", "safety"},
                  {"redis://h?max_ttl=10ms", "max_ttl"},
                  {"redis://h?max_ttl=2d", "max_ttl"},
                  {"redis://h?max_ttl=x", "x"},
                  {"rediss://h?cert=/a", "key"},
                  {"redis://h?ca=/a", "ca"},
                  {"redis://user@h", "password"}};
  for (auto const& c : cases) {
    auto const s = read(c.url);
    ASSERT_FALSE(s) << c.url;
    EXPECT_EQ(s.error(), errc::bad_option) << c.url;
    EXPECT_NE(s.get_failure().details.message().find(c.part), std::string_view::npos)
        << c.url << ": " << s.get_failure().details.message();
  }
}

TEST(redis_names, side_keys_are_injective_and_stay_in_the_names_slot) {
  std::set<std::string> keys;
  std::size_t count = 0;
  for (std::string const name : {"x", "{x}", "{x}y", "{{x}}", "}x{", "{}x", ":x", "{", "lock:{a}", "lock:a", "q{x}"}) {
    for (char const kind : {'q', 'w', 's', 'm'}) {
      keys.insert(side_key(kind, name));
      ++count;
    }
  }
  EXPECT_EQ(keys.size(), count);
  EXPECT_EQ(side_key('q', "a{tag}b"), "lh:q:a{tag}b");
  EXPECT_EQ(side_key('q', "plain"), "lh:q{plain}");
}

TEST(redis_metadata, descriptions_survive_any_text) {
  label const labels[]{{"a=b&c", "d%e f"}, {"", "\xff\n"}};
  spi::claim_spec spec{};
  spec.identity = "batch 1/&=%";
  spec.reason = "caf\u00e9 \t close";
  spec.labels = labels;
  spec.lock_delay = std::chrono::seconds(3);
  auto const line = "v=1&t=42&at=1700000000000&o=abc" + describe(spec, std::chrono::milliseconds(1500));
  auto const back = read_description(line);
  EXPECT_EQ(back.owner, "abc");
  EXPECT_EQ(back.who.token, 42U);
  EXPECT_EQ(back.at_ms, 1700000000000);
  EXPECT_EQ(back.lock_delay, std::chrono::seconds(3));
  EXPECT_EQ(back.who.ttl, std::chrono::milliseconds(1500));
  EXPECT_EQ(back.who.identity, spec.identity);
  EXPECT_EQ(back.who.reason, spec.reason);
  ASSERT_EQ(back.who.labels.size(), 2U);
  EXPECT_EQ(back.who.labels[0].first, "a=b&c");
  EXPECT_EQ(back.who.labels[0].second, "d%e f");
  EXPECT_EQ(back.who.labels[1].second, "\xff\n");
  EXPECT_EQ(line.find(' '), std::string::npos) << "entries of the line are separated by blanks";
}

TEST(redis_metadata, any_bytes_are_read_without_harm) {
  for (std::string_view const line : {"", "&", "=", "o", "t=x&ttl=-5&at=99999999999999999999", "%", "id=%", "id=%4",
                                      "id=%zz", "ttl=9223372036854775807", "l.=&l.&&&=="}) {
    auto const d = read_description(line);
    EXPECT_GE(d.who.ttl.value_or(duration::zero()), duration::zero()) << line;
  }
}

}  // namespace
}  // namespace leasehold::redis
