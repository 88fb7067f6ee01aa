// Decides who holds by a document, when a silent holder's time is over, and that no document that is not exactly ours grants anything.
#include "engines/cosmos/ledger.hpp"
#include "engines/cosmos/sightings.hpp"

#include <gtest/gtest.h>

#include <string>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;
using namespace leasehold::cosmos;  // NOLINT(google-build-using-namespace)

time_point const start{1000s};

document held_by(std::string owner, std::uint64_t beat = 1, duration ttl = 10s) {
  document d;
  d.name = "x";
  d.fence = 7;
  entry e;
  e.owner = std::move(owner);
  e.token = 7;
  e.beat = beat;
  e.ttl = ttl;
  d.entries.push_back(std::move(e));
  d.etag = "\"1\"";
  d.ts = 5000;
  return d;
}

TEST(cosmos_sightings, RENEW_19_a_holder_is_over_once_its_beat_was_seen_to_stand_still_for_its_ttl) {
  sightings seen;
  auto const d = held_by("a");
  seen.see(d, start);
  seen.see(d, start + 9s);
  EXPECT_GT(seen.judge(d, start + 10s, 0)(d.entries[0]), 0ns);
  EXPECT_LE(seen.judge(d, start + 10s + 105ms, 0)(d.entries[0]), 0ns);
}

TEST(cosmos_sightings, RENEW_19_a_renewal_begins_the_watch_anew_and_an_older_beat_does_not) {
  sightings seen;
  seen.see(held_by("a", 1), start);
  auto const second = held_by("a", 2);
  seen.see(second, start + 8s);
  EXPECT_GT(seen.judge(second, start + 11s, 0)(second.entries[0]), 0ns);
  seen.see(held_by("a", 1), start + 12s);  // a replica that lags behind
  EXPECT_LE(seen.judge(second, start + 18s + 105ms, 0)(second.entries[0]), 0ns);
  auto const stale = held_by("a", 1);
  EXPECT_GT(seen.judge(stale, start + 60s, 0)(stale.entries[0]), 0ns) << "what is older than what we know says nothing";
}

TEST(cosmos_sightings, RENEW_19_one_look_is_enough_when_the_services_own_clocks_say_so_with_a_margin) {
  sightings seen;
  auto d = held_by("a");
  d.entries[0].delay = 5s;
  seen.see(d, start);
  EXPECT_GT(seen.judge(d, start, 5000 + 20)(d.entries[0]), 0ns);
  EXPECT_LE(seen.judge(d, start, 5000 + 22)(d.entries[0]), 0ns);
  d.entries[0].beat_at = 5010;  // others have written the document since
  EXPECT_GT(seen.judge(d, start, 5000 + 22)(d.entries[0]), 0ns);
}

TEST(cosmos_sightings, what_was_free_when_we_wrote_it_is_remembered_once) {
  sightings seen;
  document d;
  d.name = "x";
  seen.keep_free(d, start);
  EXPECT_TRUE(seen.take_free("x"));
  EXPECT_FALSE(seen.take_free("x"));
  for (int i = 0; i < 10'000; ++i) {
    d.name = std::to_string(i);
    seen.keep_free(d, start + std::chrono::seconds(i));
  }
  EXPECT_FALSE(seen.take_free("0")) << "bounded";
  EXPECT_TRUE(seen.take_free("9999"));
}

taking taken(result<decision> d) { return std::get<taking>(std::move(d).value()); }
entry me() {
  entry e;
  e.owner = "me";
  e.ttl = 10s;
  return e;
}
time_left const all_alive = [](entry const&) { return duration(1s); };
time_left const all_over = [](entry const&) { return duration(0); };

TEST(cosmos_ledger, a_free_name_is_granted_with_a_larger_token_and_a_held_one_is_not) {
  document d;
  d.name = "x";
  d.fence = 41;
  EXPECT_EQ(taken(take(d, me(), mode::exclusive(), 0, all_alive)).token, 42U);
  EXPECT_EQ(taken(take(d, me(), mode::exclusive(), 100, all_alive)).token, 100U) << "the floor";
  auto const held = held_by("a");
  auto no = take(held, me(), mode::exclusive(), 0, all_alive);
  ASSERT_TRUE(std::holds_alternative<refusal>(no.value()));
  auto const over = taken(take(held, me(), mode::exclusive(), 0, all_over));
  EXPECT_EQ(over.token, 8U);
  ASSERT_EQ(over.next.entries.size(), 1U);
  EXPECT_EQ(over.next.entries[0].owner, "me");
  EXPECT_EQ(over.next.version, held.version + 1);
}

TEST(cosmos_ledger, entries_of_the_last_write_get_its_time_when_others_write) {
  auto d = held_by("a");
  d.mode = mode::reader();
  auto const next = taken(take(d, me(), mode::reader(), 0, all_alive)).next;
  ASSERT_EQ(next.entries.size(), 2U);
  EXPECT_EQ(next.entries[0].beat_at, 5000);
  EXPECT_EQ(next.entries[1].beat_at, 0);
  auto const later = renewed(next, "a");
  EXPECT_EQ(later.entries[0].beat_at, 0) << "renewed by this very write";
  EXPECT_EQ(later.entries[0].beat, 2U);
}

TEST(cosmos_document, FAIL_29_reading_refuses_whatever_is_not_exactly_a_lock) {
  auto d = held_by("a");
  d.entries[0].labels = {{"k", "v"}};
  auto const text = write_document(d);
  ASSERT_TRUE(read_document(text));
  EXPECT_EQ(read_document(text)->entries[0].labels, d.entries[0].labels);
  for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(read_document(text.substr(0, cut))) << cut;
  auto const edited = [&](std::string_view from, std::string_view to) {
    auto out = text;
    auto const at = out.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) out.replace(at, from.size(), to);
    return read_document(out).error();
  };
  EXPECT_EQ(edited("\"fence\":7", "\"fence\":6"), errc::mode_mismatch) << "a token would be given out twice";
  EXPECT_EQ(edited("\"fence\":7", "\"fence\":-7"), errc::mode_mismatch);
  EXPECT_EQ(edited("\"fence\":7", "\"fence\":1e300"), errc::mode_mismatch);
  EXPECT_EQ(edited("\"fence\":7", "\"fence\":\"7\""), errc::mode_mismatch);
  EXPECT_EQ(edited("\"holders\":[", "\"holders\":[1,"), errc::mode_mismatch);
  EXPECT_EQ(edited("\"ttl_ms\":10000", "\"ttl_ms\":99999999999999"), errc::mode_mismatch);
  EXPECT_EQ(edited("\"format\":1", "\"format\":2"), errc::unsupported) << "FAIL-18";
  EXPECT_FALSE(read_document(std::string(100'000, '[')));
}

}  // namespace
}  // namespace leasehold::test
