// Decides whether exactly the right byte strings are names, and whether a refusal says where.
#include "model/name.hpp"

#include <leasehold/store.hpp>

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {
namespace {

using model::name_fault;
using namespace std::string_literals;

name_fault fault(std::string_view name) { return model::check_name(name).fault; }

TEST(name, NAME_3_ordinary_names_of_every_length_and_script_are_names) {
  for (auto const& name :
       {"a"s, "invoice/42"s, "../../etc/passwd"s, "{tag}x"s, " leading and trailing "s, "ünïcödé"s, "名前"s, "🔒"s,
        "a:b?c#d%e&f"s, std::string(255, 'x'), "\u00A0"s, "\U0010FFFF"s, "\uFFFD"s, "\uFEFF"s, "\uD7FF"s, "\uE000"s}) {
    EXPECT_EQ(fault(name), name_fault::none) << name;
  }
}

TEST(name, NAME_3_the_limit_is_255_bytes_not_characters) {
  EXPECT_EQ(fault(std::string(256, 'x')), name_fault::too_long);
  std::string wide;
  while (wide.size() < 254) wide += "é";
  EXPECT_EQ(fault(wide), name_fault::none);
  EXPECT_EQ(fault(wide + "a"), name_fault::none);
  EXPECT_EQ(fault(wide + "é"), name_fault::too_long);
  EXPECT_EQ(fault(std::string(64 * 1024, 'x')), name_fault::too_long);
}

TEST(name, NAME_3_an_empty_name_is_none) { EXPECT_EQ(fault(""), name_fault::empty); }

TEST(name, URI_2_NAME_3_control_characters_are_refused_where_they_stand) {
  for (int c = 0; c < 0x20; ++c) EXPECT_EQ(fault("ab"s + static_cast<char>(c)), name_fault::control_character) << c;
  EXPECT_EQ(fault("\x7F"s), name_fault::control_character);
  EXPECT_EQ(model::check_name("ab\ncd").at, 2U);
  EXPECT_EQ(fault("a\0b"s), name_fault::control_character);
}

/// Whatever stands around it: bytes are looked at eight at a time where they can be.
TEST(name, NAME_3_every_byte_is_judged_right_at_every_place) {
  for (std::size_t length = 1; length <= 25; ++length) {
    for (std::size_t at = 0; at < length; ++at) {
      for (int byte = 0; byte <= 0xFF; ++byte) {
        for (char const filler : {' ', 'x', '~'}) {
          std::string name(length, filler);
          name[at] = static_cast<char>(byte);
          auto const expected = byte >= 0x80                  ? name_fault::invalid_utf8
                                : byte < 0x20 || byte == 0x7F ? name_fault::control_character
                                                              : name_fault::none;
          auto const found = model::check_name(name);
          ASSERT_EQ(found.fault, expected) << byte << " at " << at << " of " << length;
          ASSERT_EQ(found.at, expected == name_fault::none ? 0 : at);
        }
      }
    }
  }
}

TEST(name, NAME_3_the_second_control_range_is_refused) {
  for (int c = 0x80; c <= 0x9F; ++c) {
    EXPECT_EQ(fault("x\xC2"s + static_cast<char>(c)), name_fault::control_character) << c;
  }
  EXPECT_EQ(model::check_name("xy\xC2\x85").at, 2U);
}

TEST(name, NAME_3_what_is_not_utf8_is_refused) {
  std::vector<std::string> const bad{
      "\x80"s,
      "\xBF"s,
      "\xFF"s,
      "\xFE"s,
      "\xF5\x80\x80\x80"s,  // no lead byte
      "\xC0\xAF"s,
      "\xC1\xBF"s,
      "\xE0\x80\xAF"s,
      "\xE0\x9F\xBF"s,  // overlong
      "\xF0\x80\x80\xAF"s,
      "\xF0\x8F\xBF\xBF"s,
      "\xC0\x80"s,
      "\xED\xA0\x80"s,
      "\xED\xAF\xBF"s,
      "\xED\xB0\x80"s,
      "\xED\xBF\xBF"s,  // surrogates
      "\xF4\x90\x80\x80"s,
      "\xF7\xBF\xBF\xBF"s,  // above U+10FFFF
      "\xC3"s,
      "\xE2\x82"s,
      "\xF0\x9F\x94"s,
      "\xE2\x28\xA1"s,
      "\xC3\x28"s,
      "\xF0\x9F\x28\x92"s,  // cut short
  };
  for (auto const& name : bad) {
    EXPECT_EQ(fault(name), name_fault::invalid_utf8) << testing::PrintToString(name);
    EXPECT_EQ(model::check_name("ok" + name).at, 2U) << testing::PrintToString(name);
    EXPECT_EQ(fault(name + "ok"), name_fault::invalid_utf8) << testing::PrintToString(name);
  }
}

/// Every lead and second byte: a name exactly if the code point is one, in its shortest form.
TEST(name, NAME_3_every_two_byte_string_is_judged_right) {
  for (int a = 0x80; a <= 0xFF; ++a) {
    for (int b = 0; b <= 0xFF; ++b) {
      std::string const name{static_cast<char>(a), static_cast<char>(b)};
      bool const whole = a >= 0xC2 && a <= 0xDF && b >= 0x80 && b <= 0xBF;
      bool const control = whole && (a & 0x1F) == 2 && b < 0xA0;
      EXPECT_EQ(fault(name) == name_fault::none, whole && !control) << a << " " << b;
    }
  }
}

TEST(name, NAME_3_composed_and_decomposed_twins_are_two_names) {
  auto const composed = "caf\u00E9"s;
  auto const decomposed = "cafe\u0301"s;
  EXPECT_EQ(fault(composed), name_fault::none);
  EXPECT_EQ(fault(decomposed), name_fault::none);
  EXPECT_NE(composed, decomposed);
}

TEST(name, the_error_names_the_offending_part) {
  auto const words = [](std::string_view name) {
    return std::string(check_name(name).get_failure().details.message());
  };
  EXPECT_TRUE(check_name("fine"));
  EXPECT_EQ(check_name("").error(), errc::bad_name);
  EXPECT_NE(words("").find("empty"), std::string::npos);
  EXPECT_NE(words(std::string(300, 'x')).find("300"), std::string::npos);
  EXPECT_NE(words("ab\n").find("byte 2"), std::string::npos);
  EXPECT_NE(words("abc\xFF").find("byte 3"), std::string::npos);
  EXPECT_FALSE(check_name("a\n").get_failure().details.hint().empty());
  EXPECT_EQ(words("ab\nsecret").find('\n'), std::string::npos) << "a log line must not be broken";
}

}  // namespace
}  // namespace leasehold::test
