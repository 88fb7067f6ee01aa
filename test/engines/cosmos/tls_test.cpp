// Decides that cosmos: trusts whom it should, nobody else, and says why: on the npm emulator, with certificates of its own.
#include "support/node_cosmos.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

class cosmos_tls : public testing::Test {
 protected:
  void SetUp() override {
    if (auto const why = node_cosmos::missing(); !why.empty()) GTEST_SKIP() << "the emulator of Cosmos DB: " << why;
    if (std::system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "openssl is not installed";
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-cosmos-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    auto const make =
        "cd " + pattern +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost -addext "
        "subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key -out crt >/dev/null 2>&1";
    ASSERT_EQ(std::system(make.c_str()), 0);
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  }
  [[nodiscard]] std::string file(std::string const& name) const { return (folder_ / name).string(); }
  static std::string url(node_cosmos const& at, std::string const& query, std::string const& host = "127.0.0.1") {
    return "cosmos://:c2VjcmV0@" + host + ":" + std::to_string(at.port()) + "/db/locks?" + query;
  }
  static std::error_code init_error(std::string const& where, std::string* text) {
    try {
      initialize(where);
      return {};
    } catch (error const& e) {
      *text = std::string(e.details().message()) + "|" + std::string(e.details().hint());
      return e.code();
    }
  }

  std::filesystem::path folder_;
};

TEST_F(cosmos_tls, URI_3_only_a_certificate_that_can_be_checked_is_accepted_unless_told_otherwise) {
  node_cosmos const server(file("crt"), file("key"));
  std::string text;
  EXPECT_EQ(init_error(url(server, ""), &text), errc::misconfigured) << text;
  EXPECT_NE(text.find("ca="), std::string::npos) << text;
  EXPECT_EQ(init_error(url(server, "ca=/nowhere"), &text), errc::misconfigured) << text;
  EXPECT_EQ(init_error(url(server, "plain=1"), &text), errc::unavailable) << text;
  EXPECT_FALSE(init_error(url(server, "insecure=1"), &text)) << text;
  auto const trusted = url(server, "ca=" + file("crt"), "localhost");
  EXPECT_FALSE(init_error(trusted, &text)) << text;
  auto held = open(trusted).acquire("x", {.ttl = 2s});
  EXPECT_FALSE(open(trusted).try_acquire("x"));
  held.release();
  auto const all = open(url(server, "insecure=1")).diagnose();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                          [](finding const& f) { return f.id == "cosmos/tls" && f.severity == finding::level::warn; }));
}

TEST_F(cosmos_tls, a_port_without_tls_is_told_as_such) {
  node_cosmos const server;
  std::string text;
  EXPECT_EQ(init_error(url(server, ""), &text), errc::unavailable) << text;
  EXPECT_NE(text.find("plain=1"), std::string::npos) << text;
}

}  // namespace
}  // namespace leasehold::test
