// Decides that a resolver that hangs, fails or names dead addresses holds up nobody for longer than they asked for. This program's
// own getaddrinfo stands before the system's: a name server cannot be had in a test.
#include "engines/redis/lookup.hpp"
#include "engines/redis/server_test.hpp"

#include <leasehold/acquire_operation.hpp>

#include <dlfcn.h>
#include <netdb.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace leasehold::test {
namespace {

/// What happens to those who ask for a name of ours.
struct resolver {
  std::mutex guard;
  std::condition_variable changed;
  bool hangs = false;
  int asked = 0;
  int answered = 0;
  static resolver& get() {
    static auto* const one = new resolver;  // a helper may outlive everything else
    return *one;
  }
};

using resolve = int (*)(char const*, char const*, addrinfo const*, addrinfo**);

int answer(std::string_view host, char const* service, addrinfo const* hints, addrinfo** found, resolve real) {
  auto& r = resolver::get();
  std::unique_lock hold(r.guard);
  ++r.asked;
  r.changed.notify_all();
  r.changed.wait(hold, [&] { return !r.hangs; });
  ++r.answered;
  r.changed.notify_all();
  if (host == "nowhere.test") return EAI_NONAME;
  auto numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  int const code = real("127.0.0.1", service, &numeric, found);
  if (code != 0 || host != "two.test") return code;
  addrinfo* dead = nullptr;  // nobody listens there
  if (int const failed = real("127.0.0.2", "1", &numeric, &dead); failed != 0) return failed;
  dead->ai_next = *found;
  *found = dead;
  return 0;
}

}  // namespace
}  // namespace leasehold::test

extern "C" int getaddrinfo(char const* host, char const* service, addrinfo const* hints, addrinfo** found) {
  using leasehold::test::resolve;
  static auto const real = reinterpret_cast<resolve>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  std::string_view const name = host == nullptr ? "" : host;
  bool const ours = name.ends_with(".test") && (hints->ai_flags & AI_NUMERICHOST) == 0;
  return ours ? leasehold::test::answer(name, service, hints, found, real) : real(host, service, hints, found);
}

namespace leasehold::test {
namespace {

class redis_lookup : public redis_test {
 protected:
  void SetUp() override {
    redis_test::SetUp();
    if (IsSkipped()) return;
    port_ = std::to_string(free_port());
    start_ready({"--port", port_});
    auto& r = resolver::get();
    std::lock_guard const hold(r.guard);
    r.asked = r.answered = 0;
  }
  void TearDown() override {
    hang(false);
    auto& r = resolver::get();
    std::unique_lock hold(r.guard);
    EXPECT_TRUE(r.changed.wait_for(hold, 20s, [&] { return r.asked == r.answered; }));
  }
  static void hang(bool on) {
    auto& r = resolver::get();
    std::lock_guard const hold(r.guard);
    r.hangs = on;
    r.changed.notify_all();
  }
  static int asked() {
    auto& r = resolver::get();
    std::lock_guard const hold(r.guard);
    return r.asked;
  }
  [[nodiscard]] std::string at(std::string const& host, std::string const& query = "") const {
    return "redis://" + host + ":" + port_ + "?max_ttl=2s" + query;
  }

  std::string port_;
};

TEST_F(redis_lookup, names_and_numbers_are_found) {
  EXPECT_TRUE(open(at("good.test")).try_acquire("x", {.ttl = 1s}));
  EXPECT_TRUE(open(at("localhost")).try_acquire("y", {.ttl = 1s}));
  auto const before = asked();
  EXPECT_TRUE(open(at("127.0.0.1")).try_acquire("z", {.ttl = 1s}));
  EXPECT_EQ(asked(), before);
}

TEST_F(redis_lookup, CONN_7_a_resolver_that_hangs_costs_no_more_than_the_requests_own_time) {
  hang(true);
  auto const on = open(at("slow.test", "&lazy=1"));
  auto const another = open(at("slow.test", "&lazy=1"));
  for (int i = 0; i < 4; ++i) {
    auto const from = clock::now();
    EXPECT_EQ(try_error(i % 2 == 0 ? on : another, "x", {.ttl = 800ms}), errc::unavailable)
        << "nothing was sent, so nothing is in doubt";
    EXPECT_GE(clock::now() - from, 190ms);
    EXPECT_LT(clock::now() - from, 700ms);
  }
  EXPECT_EQ(asked(), 1) << "one thread hangs, not one for each request";
  hang(false);
  EXPECT_TRUE(eventually([&] { return !try_error(on, "x", {.ttl = 800ms}); }));
}

TEST_F(redis_lookup, CANCEL_1_a_stop_is_heard_while_a_name_is_looked_up) {
  hang(true);
  auto const on = open(at("slow.test", "&lazy=1"));
  std::stop_source stop;
  std::jthread const stopper([&] {
    eventually([] { return asked() == 1; });
    stop.request_stop();
  });
  std::error_code ec;
  auto const from = clock::now();
  static_cast<void>(on.acquire("x", {.ttl = 2s}, stop.get_token(), ec));
  EXPECT_EQ(ec, errc::cancelled);
  EXPECT_LT(clock::now() - from, 1500ms) << "a withdrawal has its own 500 ms";
}

TEST_F(redis_lookup, an_operation_on_a_users_loop_never_blocks_in_the_resolver) {
  hang(true);
  auto const on = open(at("slow.test", "&lazy=1"));
  auto const from = clock::now();
  acquire_operation waiting(on, "x", {.ttl = 2s});
  EXPECT_FALSE(waiting.advance());
  EXPECT_LT(clock::now() - from, 200ms);
  ASSERT_TRUE(eventually([] { return asked() == 1; }));
  hang(false);
  pollfd p{waiting.descriptor(), POLLIN, 0};
  while (!waiting.advance()) ASSERT_GT(::poll(&p, 1, 5000), 0);
  EXPECT_TRUE(waiting.take().held());
}

TEST_F(redis_lookup, PROC_6_a_forked_child_does_not_wait_for_its_parents_question) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "ThreadSanitizer allows no threads after a fork";
#endif
  hang(true);
  auto const on = open(at("slow.test", "&lazy=1"));
  EXPECT_EQ(try_error(on, "x", {.ttl = 400ms}), errc::unavailable);
  ASSERT_EQ(asked(), 1);
  auto const child = ::fork();
  if (child == 0) {
    hang(false);
    auto const own = open(at("slow.test", "&lazy=1"));
    ::_exit(try_error(own, "x", {.ttl = 2s}) ? 1 : 0);
  }
  int status = -1;
  ASSERT_TRUE(eventually([&] { return ::waitpid(child, &status, WNOHANG) == child; }));
  EXPECT_EQ(status, 0);
}

TEST_F(redis_lookup, CONN_1_a_name_that_nobody_has_is_told_at_once) {
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(at("nowhere.test"), {}, ec, &why));
  EXPECT_EQ(ec, errc::unavailable);
  EXPECT_NE(why.message().find("cannot be found"), std::string_view::npos) << why.message();
  EXPECT_FALSE(why.hint().empty());
}

TEST_F(redis_lookup, CONN_1_where_the_first_address_is_dead_the_next_one_is_tried_within_the_same_request) {
  EXPECT_TRUE(open(at("two.test")).try_acquire("x", {.ttl = 1s}));
}

TEST_F(redis_lookup, CONN_1_a_server_that_no_address_leads_to_is_unavailable) {
  server_->kill();
  std::error_code ec;
  diagnostics why;
  static_cast<void>(open(at("two.test"), {}, ec, &why));
  EXPECT_EQ(ec, errc::unavailable);
  EXPECT_NE(why.message().find("cannot be reached"), std::string_view::npos) << why.message();
}

}  // namespace
}  // namespace leasehold::test
