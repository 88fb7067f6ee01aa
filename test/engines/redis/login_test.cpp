// Decides what becomes of logins: right ones, wrong ones, those with few rights, and that no secret is told.
#include "engines/redis/server_test.hpp"

#include <future>

namespace leasehold::test {
namespace {

class redis_login : public redis_test {
 protected:
  std::error_code open_error(std::string const& where, diagnostics* why) {
    std::error_code ec;
    static_cast<void>(open(where, {}, ec, why));
    EXPECT_EQ(why->message().find("hunter"), std::string_view::npos) << "URI-1";
    EXPECT_EQ(why->server_text().find("hunter"), std::string_view::npos) << "URI-1";
    EXPECT_FALSE(!ec) << where;
    EXPECT_FALSE(why->hint().empty());
    return ec;
  }
  std::string at(std::string const& login, std::string const& query = "?max_ttl=2s") const {
    return "redis+unix://" + login + server_->socket() + query;
  }
};

TEST_F(redis_login, URI_1_wrong_passwords_and_missing_ones_are_auth_without_telling_them) {
  start({"--requirepass", "right-hunter1"});
  diagnostics why;
  EXPECT_EQ(open_error(at(""), &why), errc::auth);
  EXPECT_EQ(open_error(at(":hunter2@"), &why), errc::auth);
  EXPECT_EQ(open_error(at("nobody:hunter2@"), &why), errc::auth);
  auto const in = open(at(":right-hunter1@"));
  EXPECT_EQ(in.url().find("hunter"), std::string::npos) << in.url();
  EXPECT_EQ(try_error(in, "x"), errc::probation);
}

TEST_F(redis_login, a_password_where_none_is_needed_and_a_database_that_is_not_there) {
  start_ready();
  diagnostics why;
  EXPECT_EQ(open_error(at(":hunter2@"), &why), errc::auth);
  EXPECT_EQ(open_error(at("", "?db=99"), &why), errc::bad_option);
  initialize(at("", "?db=3&max_ttl=2s"));
  auto const third = open(at("", "?db=3&max_ttl=2s"));
  auto const held = third.acquire("x", {.ttl = 1s});
  EXPECT_TRUE(client().try_acquire("x", {.ttl = 1s})) << "databases are apart";
}

TEST_F(redis_login, a_user_with_just_the_rights_that_are_documented_can_do_everything) {
  start({"--user",  "default",     "on",       "nopass", "~*",    "&*",      "+@all",           "--user",
         "lock",    "on",          ">hunter3", "~job/*", "~lh:*", "&lh:*",   "-@all",           "+@read",
         "+@write", "+@scripting", "+@pubsub", "+info",  "+time", "+select", "+client|setname", "+ping",
         "+auth"});
  auto const where = at("lock:hunter3@");
  initialize(where);
  auto const on = open(where);
  auto held = on.acquire("job/1", {.ttl = 1s});
  auto waiter = std::async(std::launch::async, [&] { return on.acquire("job/1", {.ttl = 1s, .wait = 10s}); });
  ASSERT_TRUE(eventually([&] { return on.inspect("job/1").waiters.size() == 1; }));
  held.renew();
  held.release();
  EXPECT_TRUE(waiter.get().held());
  EXPECT_EQ(try_error(on, "other"), errc::auth);
  for (auto const& f : on.diagnose()) EXPECT_NE(f.severity, finding::level::fail) << f.id << ": " << f.text;
}

TEST_F(redis_login, CONN_10_a_password_changed_while_holding_is_auth_and_the_deadline_runs_on) {
  start({"--requirepass", "hunter4"});
  initialize(at(":hunter4@"));
  auto const on = open(at(":hunter4@"));
  auto held = on.acquire("x", {.ttl = 1500ms, .renew = renewal::manual});
  server_->command_as("hunter4", {"CONFIG", "SET", "requirepass", "hunter5"});
  server_->command_as("hunter5", {"CLIENT", "KILL", "TYPE", "normal"});
  EXPECT_EQ(try_error(on, "y"), errc::auth);
  EXPECT_TRUE(held.held());
  std::error_code ec;
  held.renew(ec);
  EXPECT_EQ(ec, errc::auth);
  EXPECT_TRUE(eventually([&] { return !held.held(); }, 3s));
}

}  // namespace
}  // namespace leasehold::test
