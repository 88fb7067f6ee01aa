// Decides that replies are read whole, at any cut, and that what is no reply is refused.
#include "engines/redis/resp.hpp"
#include "engines/redis/sha1.hpp"

#include <gtest/gtest.h>

#include <string>

namespace leasehold::redis {
namespace {

using kind = reply::kind;

TEST(redis_resp, every_kind_is_read_and_every_cut_is_survived) {
  std::string const all = "+OK\r\n-ERR no\r\n:-42\r\n$5\r\na\r\nbc\r\n$-1\r\n*3\r\n:1\r\n*-1\r\n*1\r\n$0\r\n\r\n*0\r\n";
  for (std::size_t cut = 0; cut <= all.size(); ++cut) {
    parser p;
    std::vector<reply> got;
    for (auto const& part : {all.substr(0, cut), all.substr(cut)}) {
      p.feed(part);
      while (auto r = p.next()) got.push_back(std::move(*r));
    }
    ASSERT_FALSE(p.broken()) << cut;
    ASSERT_EQ(got.size(), 7U) << cut;
    EXPECT_EQ(got[0].text, "OK");
    EXPECT_TRUE(got[1].is_error());
    EXPECT_EQ(got[1].error_code(), "ERR");
    EXPECT_EQ(got[2].as_number(), -42);
    EXPECT_EQ(got[3].text, "a\r\nbc");
    EXPECT_TRUE(got[4].is_nil());
    EXPECT_EQ(got[5].items.size(), 3U);
    EXPECT_TRUE(got[5].at(1).is_nil());
    EXPECT_EQ(got[5].at(2).at(0).what, kind::text);
    EXPECT_TRUE(got[5].at(7).is_nil()) << "beyond the end there is nothing";
    EXPECT_TRUE(got[6].items.empty());
  }
}

TEST(redis_resp, byte_by_byte_is_as_good_as_at_once) {
  std::string const all = "*2\r\n$3\r\nfoo\r\n*2\r\n:7\r\n+x\r\n";
  parser p;
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_FALSE(p.next());
    p.feed(all.substr(i, 1));
  }
  auto const r = p.next();
  ASSERT_TRUE(r);
  EXPECT_EQ(r->at(0).text, "foo");
  EXPECT_EQ(r->at(1).at(0).as_number(), 7);
}

TEST(redis_resp, what_is_no_reply_breaks_the_stream_for_good) {
  for (std::string const bad : {"\x16\x03\x01\r\n", "HTTP/1.1 400 Bad Request\r\n", ":12x\r\n", "$abc\r\n", "$-2\r\n",
                                "*-7\r\n", "$3\r\nabcde\r\n", "\r\n", "$999999999999\r\n", "*99999999\r\n"}) {
    parser p;
    p.feed(bad);
    EXPECT_FALSE(p.next()) << bad;
    EXPECT_TRUE(p.broken()) << bad;
    p.feed("+OK\r\n");
    EXPECT_FALSE(p.next()) << bad;
  }
  parser endless;
  endless.feed("+" + std::string(100'000, 'x'));
  EXPECT_FALSE(endless.next());
  EXPECT_TRUE(endless.broken());
  parser deep;
  std::string nested;
  for (int i = 0; i < 100; ++i) nested += "*1\r\n";
  deep.feed(nested);
  EXPECT_FALSE(deep.next());
  EXPECT_TRUE(deep.broken());
}

TEST(redis_resp, URI_2_no_argument_can_inject_a_command) {
  EXPECT_EQ(command({"GET", "a\r\nDEL b"}), "*2\r\n$3\r\nGET\r\n$8\r\na\r\nDEL b\r\n");
}

TEST(redis_resp, numbers_are_read_from_either_form) {
  parser p;
  p.feed(":5\r\n$2\r\n17\r\n$3\r\n1.5\r\n$-1\r\n");
  EXPECT_EQ(p.next()->as_number(), 5);
  EXPECT_EQ(p.next()->as_number(), 17);
  EXPECT_EQ(p.next()->as_number(), std::nullopt);
  EXPECT_EQ(p.next()->as_number(), std::nullopt);
}

TEST(redis_resp, sha1_agrees_with_the_standards_examples) {
  EXPECT_EQ(sha1(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(sha1("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(sha1(std::string(1'000'000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

}  // namespace
}  // namespace leasehold::redis
