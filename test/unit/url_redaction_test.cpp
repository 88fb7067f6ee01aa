// Decides whether secrets stay out of every text made from a URL, and whether such a text is a URL again.
#include "spi/url.hpp"

#include <leasehold/store.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {
namespace {

constexpr std::string_view hidden = "hunter2";

std::string all_text(failure const& f) {
  return std::string(f.details.message()) + "|" + std::string(f.details.hint()) + "|" +
         std::string(f.details.server_text()) + "|" + f.code.message();
}

TEST(url_redaction, URI_1_a_secret_is_shown_in_no_position) {
  for (std::string const text :
       {"x://joe:hunter2@h/", "x://:hunter2@h", "x://joe:a@hunter2@h", "x://joe:hunter2,b@h,i", "x://joe:%68unter2@h",
        "x:?password=hunter2", "x:?a=1&pass=hunter2&b=2", "x:?token=hunter2", "x:?api_key=hunter2",
        "x:?client_secret=hunter2", "x:?PASSWORD=hunter2", "x:?Token=hunter2", "x:?passwd=hunter2", "x:?pwd=hunter2",
        "x:?auth=hunter2", "x:?credentials=hunter2", "x:?p%61ssword=hunter2"}) {
    auto const shown = redacted(text);
    EXPECT_EQ(shown.find(hidden), std::string::npos) << shown;
    EXPECT_NE(shown.find("***"), std::string::npos) << shown;
  }
}

TEST(url_redaction, URI_1_what_is_no_secret_stays_readable) {
  EXPECT_EQ(redacted("LOCAL:/var/lib/x?lazy=1"), "local:/var/lib/x?lazy=1");
  EXPECT_EQ(redacted("x://joe:pw@h1,[::1]:80/p?ttl=3s"), "x://joe:***@h1,[::1]:80/p?ttl=3s");
}

TEST(url_redaction, URI_1_what_is_no_url_is_not_repeated) {
  for (auto const* text : {"hunter2", "", ":hunter2", "x://joe:hunter2%@h", "x:/hunter2\n"}) {
    EXPECT_EQ(redacted(text), "(not a URL)");
  }
}

TEST(url_redaction, URI_1_errors_of_parsing_and_opening_do_not_repeat_a_secret) {
  for (std::string const text :
       {"x://joe:hunter2%zz@h", "x://joe:hunter2\n@h", "x://joe:hunter2@h:99999", "x://joe:hunter2@[::1",
        "x://joe:hunter2@", "hunter2", "mem:?password=hunter2", "mem:?passwrd=hunter2", "mem://joe:hunter2@h",
        "nosuch://joe:hunter2@h/", "mem:?token=hunter2"}) {
    diagnostics words;
    std::error_code ec;
    auto const s = open(text, {}, ec, &words);
    EXPECT_TRUE(ec) << text;
    EXPECT_EQ(all_text({ec, words}).find(hidden), std::string::npos) << all_text({ec, words});
    auto const init = initialize(text, std::nothrow);
    ASSERT_FALSE(init) << text;
    EXPECT_EQ(all_text(init.get_failure()).find(hidden), std::string::npos) << all_text(init.get_failure());
    try {
      static_cast<void>(open(text));
      FAIL() << text;
    } catch (error const& e) {
      EXPECT_EQ(std::string_view(e.what()).find(hidden), std::string_view::npos) << e.what();
    }
  }
}

TEST(url_redaction, URI_1_an_opened_store_shows_the_redacted_form) {
  EXPECT_EQ(open("MEM:redaction").url(), "mem:redaction");
}

/// Redacting once more changes nothing, and the same engine is named: all but the secret survives.
void expect_fixpoint(std::string const& text) {
  auto const first = spi::parse_url(text);
  if (!first) return;
  auto const shown = first->redacted();
  auto const again = spi::parse_url(shown);
  ASSERT_TRUE(again) << testing::PrintToString(text) << " -> " << shown << ": "
                     << again.get_failure().details.message();
  EXPECT_EQ(again->redacted(), shown) << testing::PrintToString(text);
  EXPECT_EQ(again->scheme, first->scheme);
  EXPECT_EQ(again->user, first->user) << shown;
  EXPECT_EQ(again->password.empty(), first->password.empty()) << shown;
  EXPECT_EQ(again->path, first->path) << shown;
  ASSERT_EQ(again->hosts.size(), first->hosts.size()) << shown;
  for (std::size_t i = 0; i < first->hosts.size(); ++i) {
    EXPECT_EQ(again->hosts[i].host, first->hosts[i].host) << shown;
    EXPECT_EQ(again->hosts[i].port, first->hosts[i].port) << shown;
  }
  ASSERT_EQ(again->query.size(), first->query.size()) << shown;
  for (std::size_t i = 0; i < first->query.size(); ++i)
    EXPECT_EQ(again->query[i].first, first->query[i].first) << shown;
}

TEST(url_redaction, the_redacted_form_is_a_url_again) {
  for (std::string const text : {"local:",
                                 "local:/a b",
                                 "local:/a%25b",
                                 "local:/a%3Fb",
                                 "local:////x",
                                 "local:%2F%2Fx",
                                 "x://u%40v@h",
                                 "x://u%3Aw:p@h",
                                 "x://u%2Fv@h",
                                 "x://u%2Cv@h",
                                 "x://h%2Ci/",
                                 "x://[::1]:5/p",
                                 "x://[fe80::1%25eth0]",
                                 "x://u@",
                                 "x:?a%26b=c%3Dd",
                                 "x:?a%3Db=1",
                                 "x:?a=%25",
                                 "x:?a=1#2",
                                 "x:?a",
                                 "x://h%25/",
                                 "x://h?a=/b",
                                 "x://u%3Fv@h",
                                 "x://u%5B@h",
                                 "x://h%40i/"}) {
    expect_fixpoint(text);
  }
}

TEST(url_redaction, the_redacted_form_is_a_url_again_for_random_texts) {
  std::mt19937 random(20240607);
  std::vector<std::string> const words{"x:",  "//",  "/",   "?",   "&",   "=",   "@",      ":",  ",",  "[",   "]",
                                       "%2F", "%3A", "%40", "%25", "%3F", "%2C", "a",      "b1", "80", "::1", "%5B",
                                       "%5D", "%26", "%3D", "#",   "key", "é",   "%C3%A9", " ",  "."};
  std::uniform_int_distribution<std::size_t> pick(0, words.size() - 1);
  std::uniform_int_distribution<int> length(0, 12);
  for (int i = 0; i < 50'000 && !testing::Test::HasFailure(); ++i) {
    std::string text = "x:";
    for (int n = length(random); n > 0; --n) text += words[pick(random)];
    expect_fixpoint(text);
  }
}

}  // namespace
}  // namespace leasehold::test
