// Decides what a URL, a name and a message mean, without a broker.
#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/settings.hpp"
#include "engines/rabbitmq/token.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace leasehold::rabbitmq {
namespace {

using namespace std::chrono_literals;

result<settings> of(std::string_view url) { return settings_of(*spi::parse_url(url)); }

TEST(amqp_settings, defaults_are_those_of_the_broker) {
  auto const s = of("amqp://");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->hosts.front().host, "localhost");
  EXPECT_EQ(s->hosts.front().port, 5672);
  EXPECT_EQ(s->user, "guest");
  EXPECT_EQ(s->vhost, "/");
  EXPECT_EQ(s->ttl_max(), 20s);
}

TEST(amqp_settings, parts_are_read) {
  auto const s = of("amqp://u:p%40@a:1,[::1]/jobs?heartbeat=30s&consumer_timeout=1h&prefix=team.a");
  ASSERT_TRUE(s);
  EXPECT_EQ(s->hosts.size(), 2U);
  EXPECT_EQ(s->hosts[1].port, 5672);
  EXPECT_EQ(s->password.reveal(), "p@");
  EXPECT_EQ(s->vhost, "jobs");
  EXPECT_EQ(s->ttl_max(), 60s);
  EXPECT_EQ(s->consumer_timeout, 1h);
  EXPECT_EQ(s->prefix, "team.a");
  EXPECT_EQ(s->shown.find("p@"), std::string::npos);
  EXPECT_EQ(of("amqp://h/%2F")->vhost, "/");
  EXPECT_EQ(of("amqps://h?ca=f")->hosts.front().port, 5671);
}

TEST(amqp_settings, bad_parts_are_refused_by_name) {
  for (auto const* url :
       {"amqp://h?heartbeat=0", "amqp://h?heartbeat=1500ms", "amqp://h?heartbeat=301",
        "amqp://h?prefix=", "amqp://h?prefix=a:b", "amqp://h?prefix=amq.x", "amqp://h?consumer_timeout=0",
        "amqp://h?ca=f", "amqps://h", "amqps://h?ca=f&cert=c", "amqps://h?ca=f&insecure=2", "amqp://h?nope=1"}) {
    auto const s = of(url);
    EXPECT_EQ(s.error(), errc::bad_option) << url;
  }
}

TEST(amqp_names, NAME_2_a_name_too_long_for_a_queue_ends_with_its_digest) {
  EXPECT_TRUE(queue_of("lh", std::string(255, 'a'))
                  .ends_with("#b0f3323e7a3cad8ae6778340cc2a17ae0cb31c818df3767cda7c3dd423725e90"));
}

TEST(amqp_names, NAME_2_every_name_has_a_queue_of_its_own) {
  EXPECT_EQ(queue_of("lh", "invoice/42"), "lh:invoice/42");
  std::set<std::string> queues;
  std::string umlauts;
  for (int i = 0; i < 127; ++i) umlauts += "\u00e4";
  std::array<std::string, 7> const names{
      std::string(252, 'n'), std::string(253, 'n'),      std::string(255, 'n'), std::string(254, 'n') + "m", umlauts,
      umlauts + "x",         "#" + std::string(200, 'n')};
  for (auto const& name : names) {
    auto const q = queue_of("lh", name);
    EXPECT_LE(q.size(), 255U);
    EXPECT_TRUE(queues.insert(q).second) << q;
  }
  auto const shortened = queue_of("lh", umlauts);
  EXPECT_NE(static_cast<unsigned char>(shortened[shortened.size() - 66]) & 0xC0, 0xC0)
      << "a character is not cut in two";
}

token a_token(std::uint64_t g, token::condition c = token::condition::free) {
  token t;
  t.generation = g;
  t.id = "id" + std::to_string(g);
  t.state = c;
  t.name = "x&y=%";
  t.worst = 1500ms;
  return t;
}

TEST(amqp_token, what_is_written_is_read) {
  auto t = a_token(7, token::condition::held);
  t.by = "me";
  t.after = "id6";
  t.who.add("why", "a & b = c % d\n");
  auto const r = token_of(t.text());
  ASSERT_TRUE(r);
  EXPECT_EQ(r->generation, 7U);
  EXPECT_EQ(r->id, "id7");
  EXPECT_EQ(r->state, token::condition::held);
  EXPECT_EQ(r->by, "me");
  EXPECT_EQ(r->after, "id6");
  EXPECT_EQ(r->name, "x&y=%");
  EXPECT_GE(r->worst, 1500ms) << "never rounded down";
  EXPECT_EQ(described(r->who).reason, "a & b = c % d\n");
}

TEST(amqp_token, strange_texts_are_no_tokens_or_newer_ones) {
  for (auto const* text : {"", "lock", "&&&=%", "v=&g=5", "v=other1&g=5"}) {
    ASSERT_TRUE(token_of(text)) << text;
    EXPECT_EQ(token_of(text)->generation, 0U) << text;
  }
  EXPECT_EQ(token_of("v=lh2&g=5").error(), errc::misconfigured);
  EXPECT_EQ(token_of("v=lh1&g=99999999999999999999999&worst=-5")->worst, 0ms);
}

TEST(amqp_token, what_somebody_may_still_believe_in_is_waited_for) {
  auto const at = time_point(100s);
  auto const in = [&](token t, bool again) { return in_hand{1, again, at, std::move(t)}; };
  auto held = a_token(5, token::condition::held);
  held.by = "me";
  EXPECT_LT(owed_until({in(a_token(5), false)}, "me"), at);
  EXPECT_GE(owed_until({in(a_token(5), true)}, "me"), at + 1500ms) << "redelivered: somebody crashed";
  EXPECT_LT(owed_until({in(held, false)}, "me"), at) << "made by myself, for myself";
  EXPECT_GE(owed_until({in(held, false)}, "you"), at + 1500ms);
  EXPECT_GE(owed_until({in(a_token(5, token::condition::owed), false)}, "me"), at + 1500ms);
  auto next = a_token(6);
  next.after = "id5";
  EXPECT_LT(owed_until({in(a_token(5), true), in(next, false)}, "me"), at) << "its holder gave it away, and died then";
  EXPECT_GE(owed_until({in(a_token(5), true), in(a_token(6), false)}, "me"), at + 1500ms);
  EXPECT_EQ(best_of({in(a_token(5), true), in(a_token(6), false)}), 1U);
}

}  // namespace
}  // namespace leasehold::rabbitmq
