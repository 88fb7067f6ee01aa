// Decides whether everything that cannot be asked of an engine is refused before it is asked, naming the part.
#include "unit/fake_engine.hpp"

#include <leasehold/mutex.hpp>

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

namespace leasehold::test {
namespace {

struct refusal_case {
  char const* title;
  acquire_options options;
  errc code;
  char const* part;
};

traits poor_traits() {
  auto t = able_traits();
  t.exclusion = t.exclusion_with_ttl = exclusion::best_effort;
  t.fencing = fencing::none;
  t.waiting = waiting::polling;
  t.shared = t.semaphore = false;
  return t;
}

void expect_refused(fake_engine const& engine, std::string_view name, acquire_options const& options, errc code,
                    std::string_view part) {
  auto const tried = engine.locks.try_acquire(name, options, std::nothrow);
  ASSERT_FALSE(tried) << part;
  EXPECT_EQ(tried.error(), code) << part;
  EXPECT_NE(tried.get_failure().details.message().find(part), std::string_view::npos)
      << tried.get_failure().details.message();
  std::error_code ec;
  diagnostics words;
  EXPECT_FALSE(engine.locks.acquire(name, options, {}, ec, &words));
  EXPECT_EQ(ec, code);
  EXPECT_EQ(words.message(), tried.get_failure().details.message());
  EXPECT_THROW(static_cast<void>(engine.locks.acquire(name, options)), error);
  EXPECT_THROW(mutex(engine.locks, name, options), error) << "a mutex refuses when it is made, not when it is locked";
  EXPECT_EQ(engine.script->attempts, 0) << "nothing is sent";
}

std::string const long_text(65, 'x');
std::array const labels{label{"key", long_text}};

std::array const refused_everywhere{
    refusal_case{"ttl 0", {.ttl = 0s}, errc::bad_option, "ttl"},
    refusal_case{"ttl negative", {.ttl = -1s}, errc::bad_option, "ttl"},
    refusal_case{"ttl below the minimum", {.ttl = 10ms - 1ns}, errc::bad_option, "ttl"},
    refusal_case{"ttl above the maximum", {.ttl = 24h + 1ns}, errc::bad_option, "ttl"},
    refusal_case{"ttl at the end of numbers", {.ttl = duration::max()}, errc::bad_option, "ttl"},
    refusal_case{"ttl at the other end", {.ttl = duration::min()}, errc::bad_option, "ttl"},
    refusal_case{"wait negative", {.wait = -1ns}, errc::bad_option, "wait"},
    refusal_case{"max_hold 0", {.max_hold = 0s}, errc::bad_option, "max_hold"},
    refusal_case{"max_hold negative", {.max_hold = -1s}, errc::bad_option, "max_hold"},
    refusal_case{"hold_at_least negative", {.hold_at_least = -1s}, errc::bad_option, "hold_at_least"},
    refusal_case{
        "hold_at_least above max_hold", {.max_hold = 1s, .hold_at_least = 2s}, errc::bad_option, "hold_at_least"},
    refusal_case{"lock_delay negative", {.lock_delay = -1s}, errc::bad_option, "lock_delay"},
    refusal_case{"identity too long", {.identity = long_text}, errc::bad_option, "identity"},
    refusal_case{"reason too long", {.reason = long_text}, errc::bad_option, "reason"},
    refusal_case{"labels too long", {.labels = labels}, errc::bad_option, "labels"},
    refusal_case{
        "exact with a ttl", {.ttl = 1s, .require = {.exclusion = exclusion::exact}}, errc::unsupported, "exclusion"},
};

TEST(prepare, RENEW_7_RENEW_9_bad_options_are_refused_and_named) {
  fake_engine const engine;
  for (auto const& c : refused_everywhere) {
    SCOPED_TRACE(c.title);
    expect_refused(engine, "x", c.options, c.code, c.part);
  }
}

TEST(prepare, RENEW_9_a_ttl_of_zero_is_refused_even_by_an_engine_without_a_minimum) {
  auto t = able_traits();
  t.ttl_min = 0s;
  fake_engine const engine(t);
  expect_refused(engine, "x", {.ttl = 0s}, errc::bad_option, "ttl");
}

TEST(prepare, what_the_engine_cannot_do_is_unsupported) {
  fake_engine const engine(poor_traits());
  expect_refused(engine, "x", {.mode = mode::reader()}, errc::unsupported, "shared");
  expect_refused(engine, "x", {.mode = mode::semaphore(3)}, errc::unsupported, "semaphore");
  expect_refused(engine, "x", {.require = {.exclusion = exclusion::timed}}, errc::unsupported, "exclusion");
  expect_refused(engine, "x", {.require = {.fencing = fencing::conditional}}, errc::unsupported, "fencing");
  expect_refused(engine, "x", {.require = {.fifo = true}}, errc::unsupported, "fair");
}

TEST(prepare, the_limits_themselves_are_allowed) {
  fake_engine const engine;
  std::string const most(64, 'x');
  for (auto const& o : std::vector<acquire_options>{
           {.ttl = 10ms},
           {.ttl = 24h},
           {.wait = 0s},
           {.wait = duration::max()},
           {.max_hold = 1ns},
           {.max_hold = duration::max()},
           {.max_hold = 1s, .hold_at_least = 1s},
           {.lock_delay = duration::max()},
           {.identity = most},
           {.mode = mode::reader()},
           {.mode = mode::semaphore(1)},
           {.require = {.exclusion = exclusion::exact, .fencing = fencing::always, .fifo = true}},
           {.ttl = 1s, .require = {.exclusion = exclusion::timed}}}) {
    EXPECT_TRUE(engine.locks.try_acquire("x", o, std::nothrow))
        << engine.locks.try_acquire("x", o, std::nothrow).error().message();
  }
}

TEST(prepare, NAME_3_bad_names_are_refused_by_every_call) {
  fake_engine const engine;
  for (auto const& name : std::vector<std::string>{"", "a\nb", "\xFF", std::string(256, 'x')}) {
    expect_refused(engine, name, {}, errc::bad_name, "name");
    EXPECT_EQ(engine.locks.inspect(name, std::nothrow).error(), errc::bad_name);
    EXPECT_EQ(engine.locks.evict(name, 1, {}, std::nothrow).error(), errc::bad_name);
    EXPECT_THROW(static_cast<void>(engine.locks.adopt(name, "ticket")), error);
  }
}

TEST(prepare, NAME_3_the_namespace_counts_but_does_not_make_a_name) {
  fake_engine const engine(able_traits(), {.name_space = "app/"});
  expect_refused(engine, "", {}, errc::bad_name, "empty");
  EXPECT_EQ(engine.locks.inspect("", std::nothrow).error(), errc::bad_name);
  EXPECT_EQ(engine.locks.evict("", 1, {}, std::nothrow).error(), errc::bad_name);
  expect_refused(engine, std::string(252, 'x'), {}, errc::bad_name, "256");
  EXPECT_TRUE(engine.locks.try_acquire(std::string(251, 'x')));
}

TEST(prepare, names_are_told_without_the_namespace) {
  fake_engine const engine(able_traits(), {.name_space = "app/"});
  EXPECT_EQ(engine.locks.acquire("x").name(), "x");
  EXPECT_EQ(engine.locks.inspect("x").name, "x");
  mutex m(engine.locks, "x");
  m.lock();
  EXPECT_EQ(m.current().name(), "x");
  m.unlock();
}

TEST(prepare, opening_refuses_what_the_engine_lacks) {
  auto const attempt = [](traits const& t, open_options const& o) {
    return spi::connect({std::make_shared<fake_backend>(t, std::make_shared<fake_script>()), nullptr, "fake:"}, o)
        .error();
  };
  EXPECT_FALSE(
      attempt(able_traits(), {.require = {.exclusion = exclusion::exact, .fencing = fencing::always, .fifo = true}}));
  EXPECT_EQ(attempt(poor_traits(), {.require = {.exclusion = exclusion::exact}}), errc::unsupported);
  EXPECT_EQ(attempt(poor_traits(), {.require = {.fencing = fencing::always}}), errc::unsupported);
  EXPECT_EQ(attempt(poor_traits(), {.require = {.fifo = true}}), errc::unsupported);
  EXPECT_EQ(attempt(able_traits(), {.name_space = "a\nb"}), errc::bad_name);
  EXPECT_EQ(attempt(able_traits(), {.op_timeout = duration::zero()}), errc::bad_option);
  EXPECT_EQ(attempt(able_traits(), {.op_timeout = -1s}), errc::bad_option);
}

TEST(prepare, opening_by_url_refuses_and_names_bad_parts) {
  struct bad_url {
    char const* url;
    char const* part;
  };
  for (auto const& [url, part] : {bad_url{"nosuch:", "nosuch:"},
                                  {"mem:?wombat=1", "wombat"},
                                  {"mem:?lazy=2", "lazy"},
                                  {"mem:?require=exakt", "exakt"},
                                  {"mem:?require=timed,,", "require"},
                                  {"mem://host", "host"},
                                  {"no url", "scheme"}}) {
    std::error_code ec;
    diagnostics words;
    EXPECT_FALSE(open(url, {}, ec, &words));
    EXPECT_EQ(ec, errc::bad_option) << url;
    EXPECT_NE(words.message().find(part), std::string_view::npos) << words.message();
  }
  std::error_code ec;
  EXPECT_FALSE(open("mem:?require=exact", {}, ec));
  EXPECT_EQ(ec, errc::unsupported);
  EXPECT_TRUE(open("mem:?require=timed,fence,fifo&lazy=1", {}, ec));
  EXPECT_FALSE(ec);
}

TEST(prepare, an_empty_store_refuses_everything_and_hurts_nobody) {
  store const none;
  EXPECT_FALSE(none);
  EXPECT_EQ(none.try_acquire("x", {}, std::nothrow).error(), errc::bad_option);
  EXPECT_EQ(none.inspect("x", std::nothrow).error(), errc::bad_option);
  EXPECT_EQ(none.list("", std::nothrow).error(), errc::bad_option);
  EXPECT_EQ(none.evict("x", 1, {}, std::nothrow).error(), errc::bad_option);
  EXPECT_THROW(static_cast<void>(none.acquire("x")), error);
  EXPECT_THROW(static_cast<void>(none.adopt("x", "t")), error);
  EXPECT_THROW(static_cast<void>(none.diagnose()), error);
  EXPECT_THROW(mutex(none, "x"), error);
  EXPECT_EQ(none.url(), "");
  EXPECT_TRUE(none.traits().engine.empty());
  EXPECT_TRUE(none.close(0s));
  EXPECT_EQ(none.events_dropped(), 0U);
  none.observe({});
}

}  // namespace
}  // namespace leasehold::test
