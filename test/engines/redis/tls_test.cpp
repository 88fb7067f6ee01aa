// Decides that rediss: trusts whom it should, nobody else, and says why.
#include "engines/redis/server_test.hpp"

#include <array>
#include <cstdlib>
#include <filesystem>
#include <future>

namespace leasehold::test {
namespace {

/// An authority, a server's certificate for localhost signed by it, one that has expired, and a client's.
class redis_tls : public redis_test {
 protected:
  void SetUp() override {
    redis_test::SetUp();
    if (IsSkipped()) return;
    std::error_code ec;
    diagnostics why;
    static_cast<void>(open("rediss://localhost:1", {}, ec, &why));
    if (ec == errc::unsupported) GTEST_SKIP() << why.message();
    if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "openssl is not installed";
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-tls-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    make_authority("ca");
    make_authority("other");
    sign("server", "ca", "30");
    sign("expired", "ca", "-1");
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }

  [[nodiscard]] std::string file(std::string const& name) const { return (folder_ / name).string(); }
  void shell(std::string const& command) const {
    ASSERT_EQ(std::system(("cd " + folder_.string() + " && " + command + " >/dev/null 2>&1").c_str()), 0) << command;
  }
  void make_authority(std::string const& name) const {
    shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=" + name +
          " -keyout " + name + ".key -out " + name + ".crt");
  }
  /// For localhost and 127.0.0.1.
  void sign(std::string const& name, std::string const& by, std::string const& days) const {
    shell("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout " + name +
          ".key -out " + name + ".csr");
    shell("printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' > san; openssl x509 -req -in " + name + ".csr -CA " + by +
          ".crt -CAkey " + by + ".key -CAcreateserial -days " + days + " -extfile san -out " + name + ".crt");
  }
  void serve(std::string const& certificate, std::string const& clients = "no") {
    port_ = std::to_string(free_port());
    start({"--tls-port", port_, "--tls-cert-file", file(certificate + ".crt"), "--tls-key-file",
           file(certificate + ".key"), "--tls-ca-cert-file", file("ca.crt"), "--tls-auth-clients", clients});
    initialize(url());
  }
  [[nodiscard]] std::string secure(std::string const& query, std::string const& host = "localhost") const {
    return "rediss://" + host + ":" + port_ + "?max_ttl=2s" + query;
  }
  std::error_code open_error(std::string const& where, diagnostics* why) const {
    std::error_code ec;
    static_cast<void>(open(where, {}, ec, why));
    return ec;
  }

  std::filesystem::path folder_;
  std::string port_;
};

TEST_F(redis_tls, locks_are_taken_waited_for_and_handed_on_over_tls) {
  serve("server");
  auto const on = open(secure("&ca=" + file("ca.crt")));
  auto held = on.acquire("x", {.ttl = 1s});
  auto waiter = std::async(std::launch::async, [&] { return on.acquire("x", {.ttl = 1s, .wait = 10s}); });
  ASSERT_TRUE(eventually([&] { return on.inspect("x").waiters.size() == 1; }));
  held.renew();
  held.release();
  EXPECT_TRUE(waiter.get().held());
  EXPECT_TRUE(open(secure("&ca=" + file("ca.crt"), "127.0.0.1")).try_acquire("y", {.ttl = 1s}));
}

TEST_F(redis_tls, many_and_large_requests_pass) {
  serve("server");
  auto const on = open(secure("&ca=" + file("ca.crt")));
  std::string const reason(4000, 'r');
  std::vector<lease> all;
  for (int i = 0; i < 300; ++i) all.push_back(on.acquire("x" + std::to_string(i), {.ttl = 1s, .reason = reason}));
  EXPECT_EQ(on.list().size(), 300U);
  ::poll(nullptr, 0, 1500);
  for (auto const& l : all) EXPECT_TRUE(l.held()) << l.name();
}

TEST_F(redis_tls, URI_3_certificates_that_are_foreign_expired_or_for_another_are_refused) {
  serve("server");
  diagnostics why;
  EXPECT_EQ(open_error(secure(""), &why), errc::misconfigured) << "no system knows this authority";
  EXPECT_NE(why.hint().find("ca=FILE"), std::string_view::npos);
  EXPECT_EQ(open_error(secure("&ca=" + file("other.crt")), &why), errc::misconfigured);
  EXPECT_EQ(open_error(secure("&server_name=elsewhere&ca=" + file("ca.crt")), &why), errc::misconfigured);
  EXPECT_NE(why.message().find("certificate"), std::string_view::npos) << why.message();
  EXPECT_EQ(open_error(secure("&insecure=1"), &why), std::error_code{}) << "spelled out";
  serve("expired");
  EXPECT_EQ(open_error(secure("&ca=" + file("ca.crt")), &why), errc::misconfigured);
  EXPECT_NE(why.message().find("expired"), std::string_view::npos) << why.message();
}

TEST_F(redis_tls, a_server_that_asks_for_a_clients_certificate_gets_one) {
  sign("client", "ca", "30");
  serve("server", "yes");
  diagnostics why;
  EXPECT_TRUE(open_error(secure("&ca=" + file("ca.crt")), &why));
  auto const with = "&ca=" + file("ca.crt") + "&cert=" + file("client.crt") + "&key=" + file("client.key");
  EXPECT_EQ(open_error(secure(with), &why), std::error_code{}) << why.message();
  EXPECT_EQ(open_error(secure("&cert=/nowhere&key=/nowhere"), &why), errc::misconfigured);
  EXPECT_NE(why.message().find("/nowhere"), std::string_view::npos);
}

TEST_F(redis_tls, tls_to_a_plain_port_and_the_reverse_say_so) {
  auto const plain = std::to_string(free_port());
  port_ = plain;
  start({"--port", plain});
  diagnostics why;
  EXPECT_TRUE(open_error(secure(""), &why));
  EXPECT_NE(why.message().find("plain port"), std::string_view::npos) << why.message();
  serve("server");
  EXPECT_TRUE(open_error("redis://localhost:" + port_, &why));
  EXPECT_NE(why.message().find("TLS port"), std::string_view::npos) << why.message();
}

TEST_F(redis_tls, doctor_tells_how_the_connection_is_protected) {
  serve("server");
  auto const transport = [&](std::string const& where) {
    for (auto const& f : open(where).diagnose()) {
      if (f.id == "redis/transport") return f.severity;
    }
    return finding::level::fail;
  };
  EXPECT_EQ(transport(secure("&ca=" + file("ca.crt"))), finding::level::pass);
  EXPECT_EQ(transport(secure("&insecure=1")), finding::level::warn);
}

}  // namespace
}  // namespace leasehold::test
