// Decides whether any name is kept and compared whole, how long a name's record lasts, and what a full table says.
#include "engines/local/local_support.hpp"
#include "engines/local/text.hpp"

namespace leasehold::test {
namespace {

using names = local_store;

TEST_F(names, NAME_1_NAME_3_names_of_every_length_are_kept_whole) {
  auto const store = open();
  std::vector<std::unique_ptr<spi::claim>> held;
  for (std::size_t length = 1; length <= 255; ++length) {
    std::string const name(length, static_cast<char>('a' + length % 26));
    held.push_back(store.claim(name, {.reason = "because of " + std::to_string(length)}));
    ASSERT_TRUE(try_once(*held.back())) << length;
    auto const info = store.inspect(name);
    ASSERT_EQ(info.name, name);
    ASSERT_EQ(info.holders.size(), 1U);
    auto twin = store.claim(name);
    ASSERT_FALSE(try_once(*twin));
  }
  EXPECT_EQ(store.list().size(), 255U);
  for (auto& c : held) EXPECT_FALSE(release(*c));
}

TEST_F(names, NAME_3_twins_prefixes_and_odd_bytes_are_different_names) {
  auto const store = open();
  std::vector<std::string> const odd{"a",
                                     "a ",
                                     "A",
                                     "../a",
                                     "a/../a",
                                     "{a}",
                                     "\xC3\xA9",
                                     "e\xCC\x81",
                                     "%00",
                                     "a\x7F",
                                     "aaaaaaaa",
                                     "aaaaaaaaa",
                                     std::string(152, 'n'),
                                     std::string(153, 'n'),
                                     std::string(152, 'n') + "m"};
  std::vector<std::unique_ptr<spi::claim>> held;
  for (auto const& name : odd) {
    held.push_back(store.claim(name));
    EXPECT_TRUE(try_once(*held.back())) << name;
  }
  EXPECT_EQ(store.list().size(), odd.size());
  for (auto& c : held) EXPECT_FALSE(release(*c));
}

TEST_F(names, metadata_beyond_the_record_goes_to_overflow_blocks_and_back) {
  auto const store = open();
  std::string const identity(200, 'i');
  std::string const reason(3000, 'r');
  for (int round = 0; round < 3; ++round) {
    auto c = store.claim(std::string(255, 'n'), {.identity = identity, .reason = reason});
    ASSERT_TRUE(try_once(*c));
    auto const who = store.inspect(std::string(255, 'n')).holders.at(0);
    EXPECT_EQ(who.identity, identity);
    EXPECT_EQ(who.reason, reason);
    EXPECT_FALSE(release(*c));
  }
}

TEST_F(names, a_released_names_record_is_used_for_others_when_needed) {
  auto const store = open("?capacity=64");
  std::uint64_t last = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto c = store.claim("name/" + std::to_string(i) + std::string(static_cast<std::size_t>(i) % 200, 'x'));
    auto const token = try_once(*c);
    ASSERT_TRUE(token) << i;
    ASSERT_GT(*token, last);
    last = *token;
    ASSERT_FALSE(release(*c));
  }
  // No block was lost on the way.
  auto const& mem = store.session().mem();
  std::size_t in_use = 0;
  for (std::uint32_t b = 1; b <= mem.geometry().blocks; ++b) in_use += mem.block_at(b).owner != 0;
  EXPECT_LE(in_use, mem.geometry().records);
}

TEST_F(names, a_claim_whose_record_went_to_another_name_finds_its_own_again) {
  auto const store = open("?capacity=1");
  auto c = store.claim("the name");
  auto const first = try_once(*c).value();
  EXPECT_FALSE(release(*c));
  for (int i = 0; i < 5000; ++i) {
    auto other = store.claim("other/" + std::to_string(i));
    ASSERT_TRUE(try_once(*other));
    ASSERT_FALSE(release(*other));
  }
  EXPECT_FALSE(c->revoked());
  EXPECT_GT(try_once(*c).value(), first);
  EXPECT_EQ(store.inspect("the name").state, lock_state::held);
  EXPECT_FALSE(release(*c));
}

TEST_F(names, names_that_are_held_stay_found_while_others_come_and_go) {
  auto const store = open("?capacity=64");
  std::vector<std::string> kept;
  std::vector<std::unique_ptr<spi::claim>> held;
  for (int i = 0; i < 300; ++i) {
    kept.push_back("kept/" + std::to_string(i));
    held.push_back(store.claim(kept.back()));
    ASSERT_TRUE(try_once(*held.back()));
    for (int j = 0; j < 30; ++j) {
      auto passing = store.claim("passing/" + std::to_string(i * 30 + j));
      ASSERT_TRUE(try_once(*passing));
      ASSERT_FALSE(release(*passing));
    }
  }
  for (auto const& name : kept) {
    auto twin = store.claim(name);
    ASSERT_FALSE(try_once(*twin)) << name << " was lost from its chain and granted twice";
  }
  for (auto& c : held) EXPECT_FALSE(release(*c));
}

TEST_F(names, NAME_2_names_are_compared_whole_whatever_their_hashes) {
  auto const store = open();
  auto const& mem = store.session().mem();
  for (std::size_t length : {1U, 8U, 87U, 88U, 89U, 255U}) {
    std::string const name(length, 'n');
    auto c = store.claim(name);
    ASSERT_TRUE(try_once(*c));
    auto& r = mem.record_at(local::find_name(mem, local::hash_name(name), name).which);
    EXPECT_TRUE(local::has_name(mem, r, name));
    for (std::size_t at = 0; at < length; ++at) {
      auto other = name;
      other[at] = 'm';
      EXPECT_FALSE(local::has_name(mem, r, other)) << "byte " << at << " of " << length;
    }
    EXPECT_FALSE(local::has_name(mem, r, name + "n"));
    EXPECT_FALSE(release(*c));
  }
}

TEST_F(names, LOCAL_10_a_full_table_is_an_error_that_names_the_holder_and_evicts_nobody) {
  auto const store = open("?capacity=64");
  std::vector<std::unique_ptr<spi::claim>> held;
  std::string refusal;
  std::error_code code;
  for (int i = 0; refusal.empty() && i < 100'000; ++i) {
    auto c = store.claim("name/" + std::to_string(i));
    auto const answer = *c->attempt_now();
    if (!answer) {
      code = answer.error();
      refusal = said(answer);
    } else {
      held.push_back(std::move(c));
    }
  }
  EXPECT_EQ(code, errc::unavailable);
  EXPECT_NE(refusal.find(std::to_string(::getpid())), std::string::npos) << refusal;
  EXPECT_GE(held.size(), 64U);
  for (auto& c : held) EXPECT_FALSE(c->revoked());
  for (auto& c : held) EXPECT_FALSE(release(*c));
  auto c = store.claim("one more");
  EXPECT_TRUE(try_once(*c));
  EXPECT_FALSE(release(*c));
}

TEST_F(names, the_default_table_holds_65536_names_at_once) {
  auto const store = open();
  std::vector<std::unique_ptr<spi::claim>> held;
  for (int i = 0; i < 65'536; ++i) {
    held.push_back(store.claim("order/" + std::to_string(i * 7919)));
    ASSERT_TRUE(try_once(*held.back())) << i;
  }
  EXPECT_EQ(store.list().size(), 65'536U);
  for (auto& c : held) EXPECT_FALSE(release(*c));
}

TEST_F(names, metadata_survives_a_round_trip_and_reading_it_is_total) {
  label const labels[] = {{"team", "storage"}, {"run", "17"}};
  auto const bytes = local::encode_metadata("me", "why", labels);
  holder_info who;
  local::decode_metadata(bytes, who);
  EXPECT_EQ(who.identity, "me");
  EXPECT_EQ(who.reason, "why");
  ASSERT_EQ(who.labels.size(), 2U);
  EXPECT_EQ(who.labels[1].second, "17");
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    holder_info cut;
    local::decode_metadata(std::string_view(bytes).substr(0, n), cut);
  }
  holder_info noise;
  local::decode_metadata("\xFF\xFF\xFF\xFF", noise);
  EXPECT_TRUE(local::encode_metadata({}, {}, {}).empty());
}

}  // namespace
}  // namespace leasehold::test
