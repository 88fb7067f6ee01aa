// Decides what a server's words come to.
#include "engines/redis/answers.hpp"
#include "engines/redis/greeting.hpp"
#include "engines/redis/health.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace leasehold::redis {
namespace {

using namespace std::chrono_literals;

settings here() {
  settings s;
  s.shown = "redis at h:1";
  return s;
}

reply parsed(std::string_view bytes) {
  parser p;
  p.feed(bytes);
  return *p.next();
}

/// A list of texts, which is what a command is too; numbers are read from texts as well.
result<spi::answer> answer(std::initializer_list<std::string_view> words) {
  return answer_of(parsed(command(words)), 10s, time_point{}, here());
}

TEST(redis_answers, FAIL_7_every_refusal_is_typed_and_has_a_remedy) {
  struct {
    std::string_view line;
    errc what;
  } const cases[]{{"-OOM command not allowed when used memory > 'maxmemory'.", errc::unavailable},
                  {"-LOADING Redis is loading the dataset in memory", errc::unavailable},
                  {"-BUSY Redis is busy running a script.", errc::unavailable},
                  {"-READONLY You can't write against a read only replica.", errc::unavailable},
                  {"-MASTERDOWN Link with MASTER is down", errc::unavailable},
                  {"-CLUSTERDOWN The cluster is down", errc::unavailable},
                  {"-TRYAGAIN Multiple keys request during rehashing of slot", errc::unavailable},
                  {"-NOREPLICAS Not enough good replicas to write.", errc::unavailable},
                  {"-MOVED 3999 127.0.0.1:6381", errc::misconfigured},
                  {"-ASK 3999 127.0.0.1:6381", errc::misconfigured},
                  {"-MISCONF Redis is configured to save RDB snapshots", errc::misconfigured},
                  {"-ERR unknown command 'EVALSHA', with args", errc::misconfigured},
                  {"-NOAUTH Authentication required.", errc::auth},
                  {"-WRONGPASS invalid username-password pair", errc::auth},
                  {"-ERR AUTH <password> called without any password configured", errc::auth},
                  {"-NOPERM this user has no permissions to run the 'info' command", errc::auth},
                  {"-ERR DB index is out of range", errc::bad_option},
                  {"-WRONGTYPE Operation against a key holding the wrong kind of value", errc::mode_mismatch}};
  for (auto const& c : cases) {
    auto const why = failure_of(parsed(std::string(c.line) + "\r\n"), here());
    EXPECT_EQ(why.code, c.what) << c.line;
    EXPECT_FALSE(why.details.hint().empty()) << c.line;
    EXPECT_NE(why.details.message().find("redis at h:1"), std::string_view::npos) << c.line;
    EXPECT_EQ(why.details.server_text(), c.line.substr(1)) << c.line;
  }
}

TEST(redis_answers, grants_and_refusals_are_read) {
  auto const yes = answer({"G", "1763856000123456"});
  ASSERT_TRUE(yes);
  EXPECT_EQ(std::get<spi::granted>(*yes).token, 1763856000123456U);
  EXPECT_EQ(std::get<spi::granted>(*yes).ttl, 10s);
  auto const foreign = answer({"B", "700", "0", "xyz", ""});
  ASSERT_TRUE(foreign);
  auto const& no = std::get<spi::busy>(*foreign);
  ASSERT_TRUE(no.holder);
  EXPECT_TRUE(no.holder->foreign);
  EXPECT_LE(no.retry_after, 100ms) << "it will call nobody";
  auto const ours = answer({"B", "700", "3", "ab", "o=ab&id=me&ttl=900"});
  ASSERT_TRUE(ours);
  EXPECT_EQ(std::get<spi::busy>(*ours).holder->identity, "me");
  EXPECT_EQ(std::get<spi::busy>(*ours).ahead, 3U);
  EXPECT_EQ(std::get<spi::busy>(*ours).retry_after, 700ms);
  EXPECT_EQ(answer({"M"}).error(), errc::mode_mismatch);
  EXPECT_EQ(answer({"T", "60000"}).error(), errc::bad_option);
  EXPECT_EQ(answer({"V", "2"}).error(), errc::misconfigured);
}

TEST(redis_answers, probation_says_who_when_how_long_and_what_to_type) {
  for (auto const& [kind, word] :
       {std::pair("restart", "restarted"), std::pair("fresh!!", "restarted"), std::pair("fresh", "fresh")}) {
    auto const why = answer({"P", "41500", "18000", kind}).get_failure();
    EXPECT_EQ(why.code, errc::probation);
    auto const text = why.details.message();
    for (std::string_view const part : {"redis at h:1", word, "18 s ago", "42 s"}) {
      EXPECT_NE(text.find(part), std::string_view::npos) << text;
    }
    EXPECT_NE(why.details.hint().find("leasehold init"), std::string_view::npos);
    EXPECT_EQ(why.details.retry_after(), 41500ms);
  }
}

TEST(redis_answers, nonsense_is_an_unknown_outcome_never_a_grant) {
  for (std::string_view const bytes : {"+OK\r\n", ":1\r\n", "$-1\r\n", "*0\r\n", "*1\r\n$1\r\nG\r\n",
                                       "*2\r\n$1\r\nG\r\n$1\r\nx\r\n", "*1\r\n$1\r\nZ\r\n", "*1\r\n:1\r\n"}) {
    EXPECT_EQ(answer_of(parsed(bytes), 10s, time_point{}, here()).error(), errc::outcome_unknown) << bytes;
  }
}

TEST(redis_answers, WAIT_1_nobody_sleeps_past_the_obstacle_or_a_second) {
  EXPECT_EQ(look_again(300, 0, false), 300ms);
  EXPECT_EQ(look_again(15'000, 0, false), 1s);
  EXPECT_EQ(look_again(-1, 5, false), 1s) << "a key without expiry";
  EXPECT_EQ(look_again(0, 0, false), 1ms) << "0 would mean: unknown";
  EXPECT_EQ(look_again(15'000, 0, true), 100ms);
  EXPECT_EQ(look_again(15'000, 7, true), 1s) << "the head looks for all";
  EXPECT_EQ(look_again(1, 7, false), 50ms) << "the others leave the moment of expiry to the head";
  EXPECT_EQ(look_again(-2, 1, false), 100ms) << "reserved: the claim time";
  EXPECT_GE(place_lifetime(100ms), 2s) << "longer than the longest look";
  EXPECT_LE(place_lifetime(60s), 5s);
}

TEST(redis_greeting, FAIL_9_a_server_that_is_no_safe_arbiter_is_refused) {
  std::string const good =
      "# Server\r\nredis_version:7.0.15\r\nrun_id:abc\r\n# "
      "Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\nrole:master\r\n";
  EXPECT_TRUE(check_server(good, here()));
  auto const with = [&](std::string_view from, std::string_view to) {
    auto text = good;
    text.replace(text.find(from), from.size(), to);
    return check_server(text, here());
  };
  EXPECT_EQ(with("run_id:abc\r\n", "").error(), errc::misconfigured);
  EXPECT_EQ(with("role:master", "role:slave").error(), errc::misconfigured);
  EXPECT_EQ(with("role:master", "cluster_enabled:1").error(), errc::misconfigured);
  auto const evicts = with("maxmemory:0", "maxmemory:1000");
  EXPECT_EQ(evicts.error(), errc::misconfigured);
  EXPECT_NE(evicts.get_failure().details.hint().find("noeviction"), std::string_view::npos);
  auto best = here();
  best.guarded = false;
  EXPECT_TRUE(check_server("run_id:a\r\nmaxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n", best));
}

TEST(redis_greeting, values_are_found_by_whole_keys) {
  EXPECT_EQ(info_value("xmaxmemory:1\r\nmaxmemory:2\r\nmaxmemory_policy:z", "maxmemory"), "2");
  EXPECT_EQ(info_value("maxmemory_policy:z", "maxmemory_policy"), "z");
  EXPECT_EQ(info_value("", "a"), "");
}

TEST(redis_health, findings_follow_the_facts) {
  health_facts f;
  f.info.text =
      "redis_version:7\r\nrun_id:r1\r\nmaxmemory:5\r\nmaxmemory_policy:volatile-ttl\r\nconnected_slaves:2\r\naof_"
      "enabled:0\r\n";
  f.guard = parsed(command({"run", "r0", "max", "60000"}));
  f.script = parsed("-NOPERM no\r\n");
  f.round_trips.assign(100, 1ms);
  auto where = here();
  where.host = "elsewhere";
  auto const all = findings_of(f, where);
  auto const level_of = [&](std::string_view id) {
    auto const at = std::ranges::find(all, id, &finding::id);
    EXPECT_NE(at, all.end()) << id;
    EXPECT_TRUE(at->severity == finding::level::pass || !at->remedy.empty()) << id;
    return at->severity;
  };
  using level = finding::level;
  EXPECT_EQ(level_of("redis/server"), level::fail);
  EXPECT_EQ(level_of("redis/eviction"), level::fail);
  EXPECT_EQ(level_of("redis/persistence"), level::warn);
  EXPECT_EQ(level_of("redis/replicas"), level::warn);
  EXPECT_EQ(level_of("redis/rights"), level::fail);
  EXPECT_EQ(level_of("redis/guard"), level::warn);
  EXPECT_EQ(level_of("redis/round_trip"), level::pass);
  EXPECT_EQ(level_of("redis/clock"), level::warn);
  EXPECT_EQ(level_of("redis/transport"), level::warn);
}

TEST(redis_health, what_no_test_can_make_a_server_do_is_judged_from_its_words) {
  health_facts f;
  f.info.text = "redis_version:4.0.14\r\nrun_id:r1\r\n";
  auto const found = [&](std::string_view id) {
    auto const all = findings_of(f, here());
    return *std::ranges::find(all, id, &finding::id);
  };
  using level = finding::level;
  EXPECT_EQ(found("redis/server").severity, level::fail) << "too old";
  f.info.text = "redis_version:7.2.4\r\nvalkey_version:8.0.1\r\nrun_id:r1\r\n";
  EXPECT_EQ(found("redis/server").severity, level::pass);
  EXPECT_EQ(found("redis/round_trip").severity, level::fail) << "no answer";
  f.round_trips.assign(100, 1ms);
  f.round_trips[3] = f.round_trips[77] = 400ms;
  EXPECT_EQ(found("redis/round_trip").severity, level::warn);
  EXPECT_NE(found("redis/round_trip").remedy.find("at least 7 s"), std::string::npos)
      << found("redis/round_trip").remedy;
  for (auto const offset : {61'000ms, -61'000ms}) {
    f.clock_offset = offset;
    EXPECT_EQ(found("redis/clock").severity, level::warn);
    EXPECT_EQ(found("redis/clock").remedy, "keep it by NTP");
  }
  f.clock_offset = 3'000ms;
  EXPECT_EQ(found("redis/clock").severity, level::pass);
}

}  // namespace
}  // namespace leasehold::redis
