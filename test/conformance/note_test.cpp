// Decides what a holder's last word is worth: seen by others while it holds, and told to the next when it ends without releasing.
#include "conformance/suite.hpp"

namespace leasehold::conformance {
namespace {

class note_conformance : public conformance {
 protected:
  [[nodiscard]] std::string seen(std::string_view name) {
    auto const info = b_.inspect(name);
    return info.holders.size() == 1 ? info.holders.front().note : "(no one holder)";
  }
};

#define NEEDS_NOTES() NEEDS(traits().note_bytes_max > 0, "keep notes")

TEST_P(note_conformance, NOTE_1_a_note_is_seen_by_others_and_the_last_one_counts) {
  NEEDS_NOTES();
  auto held = a_.acquire("x", with_ttl());
  EXPECT_EQ(seen("x"), "");
  held.note("began");
  EXPECT_EQ(seen("x"), "began");
  held.note("step 2 of 3, grüße & 100% = fertig");
  EXPECT_EQ(seen("x"), "step 2 of 3, grüße & 100% = fertig");
  EXPECT_EQ(b_.list("x").at(0).holders.at(0).note, "step 2 of 3, grüße & 100% = fertig");
  held.note("");
  EXPECT_EQ(seen("x"), "");
}

TEST_P(note_conformance, NOTE_1_a_note_outlives_renewals_and_leaves_the_rest_as_it_was) {
  NEEDS_NOTES();
  auto held = a_.acquire("x", {.ttl = ttl(), .reason = "why not"});
  held.note("half");
  EXPECT_EQ(renew(held), std::error_code{});
  advance(2 * ttl());
  EXPECT_EQ(seen("x"), "half");
  auto const who = b_.inspect("x").holders.at(0);
  EXPECT_EQ(who.identity, "a");
  EXPECT_EQ(who.reason, "why not");
  if (fences()) {
    EXPECT_EQ(who.token, held.token());
  }
}

TEST_P(note_conformance, NOTE_2_after_a_release_nothing_is_left_to_the_next) {
  NEEDS_NOTES();
  auto first = a_.acquire("x", with_ttl());
  first.note("done soon");
  EXPECT_EQ(release(first), std::error_code{});
  auto const second = b_.acquire("x", with_ttl());
  EXPECT_EQ(seen("x"), "");
  EXPECT_FALSE(second.previous());
}

TEST_P(note_conformance, NOTE_2_a_waiter_that_was_handed_the_name_has_no_dead_predecessor) {
  NEEDS_NOTES();
  auto first = a_.acquire("x", with_ttl());
  first.note("done soon");
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  EXPECT_EQ(release(first), std::error_code{});
  auto const second = finish(waiter);
  ASSERT_TRUE(second);
  EXPECT_FALSE(second.previous());
}

TEST_P(note_conformance, NOTE_3_the_next_holder_sees_who_died_and_its_last_note) {
  NEEDS_NOTES();
  auto const doomed = fixture_->start_party(
      "x", {.ttl = traits().ttl_default ? std::optional(ttl()) : std::nullopt, .identity = "doomed", .note = "row 41"});
  NEEDS(doomed != nullptr, "run a second party");
  auto const from = now();
  auto const token = doomed->await_grant();
  doomed->kill();
  pending waiter(b_, "x", with_ttl());
  auto next = finish(waiter);
  ASSERT_TRUE(next);
  auto const before = next.previous();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->who.identity, "doomed");
  EXPECT_EQ(before->who.note, "row 41");
  if (fences()) {
    EXPECT_EQ(before->who.token, token);
  }
  EXPECT_GE(before->ended_at, from);
  EXPECT_LE(before->ended_at, now() + 1ms);
  bool const died = before->how == previous_holder::ending::died;
  EXPECT_EQ(died, traits().survives_holder_crash_at_once);
  // It is the predecessor of this lease alone.
  next.note("mine");
  EXPECT_EQ(next.previous()->who.note, "row 41");
  EXPECT_EQ(seen("x"), "mine");
  EXPECT_EQ(release(next), std::error_code{});
  EXPECT_FALSE(a_.acquire("x", with_ttl()).previous());
}

TEST_P(note_conformance, NOTE_3_a_waiter_in_line_sees_who_died_before_it) {
  NEEDS_NOTES();
  auto const doomed = fixture_->start_party(
      "x", {.ttl = traits().ttl_default ? std::optional(ttl()) : std::nullopt, .identity = "doomed", .note = "row 41"});
  NEEDS(doomed != nullptr, "run a second party");
  doomed->await_grant();
  pending waiter(b_, "x", with_ttl());
  ASSERT_TRUE(await_waiters("x", 1));
  doomed->kill();
  auto const next = finish(waiter);
  ASSERT_TRUE(next);
  auto const before = next.previous();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->who.identity, "doomed");
  EXPECT_EQ(before->who.note, "row 41");
}

TEST_P(note_conformance, NOTE_4_an_expiry_without_release_is_told_and_a_look_at_the_lock_takes_nothing_away) {
  NEEDS_NOTES();
  auto first = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual, .identity = "slow"});
  first.note("stuck");
  advance(ttl() + 100ms);
  EXPECT_TRUE(is_free("x"));
  static_cast<void>(b_.list());
  auto const next = b_.acquire("x", with_ttl());
  auto const before = next.previous();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->who.identity, "slow");
  EXPECT_EQ(before->who.note, "stuck");
  EXPECT_EQ(before->how, previous_holder::ending::expired);
  // It knows that its time is over, and changes nothing of the new holder's.
  std::error_code ec;
  first.note("I am back", ec);
  EXPECT_EQ(ec, errc::lost);
  EXPECT_EQ(seen("x"), "");
}

TEST_P(note_conformance, NOTE_4_a_holder_that_never_wrote_a_note_is_told_too) {
  NEEDS_NOTES();
  auto first = a_.acquire("x", {.ttl = ttl(), .renew = renewal::manual, .identity = "silent"});
  advance(ttl() + 100ms);
  auto const before = b_.acquire("x", with_ttl()).previous();
  ASSERT_TRUE(before);
  EXPECT_EQ(before->who.identity, "silent");
  EXPECT_EQ(before->who.note, "");
}

TEST_P(note_conformance, NOTE_5_notes_are_bounded_and_one_line_of_text) {
  NEEDS_NOTES();
  auto held = a_.acquire("x", with_ttl());
  std::string const longest(traits().note_bytes_max, 'n');
  held.note(longest);
  EXPECT_EQ(seen("x"), longest);
  for (auto const& bad : {longest + "n", std::string("two\nlines"), std::string("\x1b[2J"), std::string("\xff")}) {
    std::error_code ec;
    held.note(bad, ec);
    EXPECT_EQ(ec, errc::bad_option);
  }
  EXPECT_EQ(seen("x"), longest);
}

TEST_P(note_conformance, NOTE_6_readers_and_permits_have_no_notes) {
  NEEDS_NOTES();
  NEEDS(traits().shared, "share a name");
  auto reader = a_.acquire("x", {.ttl = ttl(), .mode = mode::reader()});
  std::error_code ec;
  reader.note("mine", ec);
  EXPECT_EQ(ec, errc::unsupported);
  static_cast<void>(reader.previous(ec));
  EXPECT_EQ(ec, errc::unsupported);
}

TEST_P(note_conformance, NOTE_6_an_engine_without_notes_says_so) {
  if (traits().note_bytes_max > 0) GTEST_SKIP() << "engine " << GetParam().label << " keeps notes";
  auto held = a_.acquire("x", with_ttl());
  std::error_code ec;
  held.note("mine", ec);
  EXPECT_EQ(ec, errc::unsupported);
  static_cast<void>(held.previous(ec));
  EXPECT_EQ(ec, errc::unsupported);
  EXPECT_TRUE(held.held());
}

TEST_P(note_conformance, NOTE_7_an_evicted_holder_is_no_dead_one) {
  NEEDS_NOTES();
  auto const first = a_.acquire("x", with_ttl());
  NEEDS(first.has_token(), "evict");
  a_.evict("x", first.token(), {.reason = "test", .now = true});
  EXPECT_FALSE(b_.acquire("x", with_ttl()).previous());
}

TEST_P(note_conformance, NOTE_8_a_released_lease_writes_nothing) {
  NEEDS_NOTES();
  auto held = a_.acquire("x", with_ttl());
  EXPECT_EQ(release(held), std::error_code{});
  auto const other = b_.acquire("x", with_ttl());
  std::error_code ec;
  held.note("late", ec);
  EXPECT_EQ(ec, errc::lost);
  EXPECT_EQ(seen("x"), "");
}

INSTANTIATE_TEST_SUITE_P(, note_conformance, testing::ValuesIn(registry()),
                         [](auto const& each) { return std::string(each.param.label); });

}  // namespace
}  // namespace leasehold::conformance
