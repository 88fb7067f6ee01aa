// Decides how a claim leaves, and how a write that was not answered is kept from being carried out later.
#include "engines/cosmos/claim.hpp"

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1::cosmos {

/// A write in doubt must not be carried out later: whatever it was conditional on is changed. False: it already was.
spi::task<result<bool>> cosmos_claim::rule_out(found const& now, time_point until) {
  auto const etag = now.what ? now.what->etag : std::string();
  if (!doubt_ || now.foreign || etag != doubt_->etag) co_return false;
  document next;
  if (now.what) {
    next = next_version(*now.what);
  } else {
    next.name = name_;
    next.fence =
        static_cast<std::uint64_t>(std::max<std::int64_t>(from_.documents().net().server_ms(now.said.received_at), 0));
  }
  auto const how = co_await write(std::move(next), until);
  if (!how) co_return how.get_failure();
  if (from_.where().article && *how == written::done && last_.entries.empty()) {
    auto const gone = co_await erase(std::move(last_), until);
    if (!gone) co_return gone.get_failure();
  }
  co_return true;
}

result<void> cosmos_claim::absent(found const& now, time_point at) {
  // Our own departure, perhaps, whose answer was lost on the way.
  bool const left = left_in_doubt_ || (now.what && now.what->writer == owner_);
  bool const was_held = state_ == state::holding && !left;
  begin_anew();
  if (!was_held) return {};
  auto const rest = now.what ? from_.judge(*now.what, at) : time_left();
  if (now.foreign) return errc::not_owner;
  bool const taken = now.what && std::ranges::any_of(now.what->entries, [&](entry const& e) {
                       return !e.off && rest(e) > duration::zero();
                     });
  return taken ? errc::not_owner : errc::expired;
}

/// Writes the document without us; false: it has changed meanwhile.
spi::task<result<bool>> cosmos_claim::leave(document now, duration hold_off, time_point until) {
  auto& drive = co_await spi::this_driver();
  auto next = without(now, owner_, hold_off);
  bool const erases = from_.where().article && next.entries.empty();
  auto changed = erases ? erase(std::move(now), until) : write(std::move(next), until);
  auto const how = co_await std::move(changed);
  if (!how) co_return how.get_failure();
  if (*how == written::conflict) co_return false;
  if (*how == written::done && !erases && last_.entries.empty()) from_.seen().keep_free(std::move(last_), drive.now());
  co_return true;
}

spi::task<result<void>> cosmos_claim::withdraw(duration hold_off) {
  if (state_ == state::apart) co_return result<void>();
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  static_cast<void>(co_await from_.arbiter().follow(until));
  bool known = state_ == state::holding && !left_in_doubt_;
  do {  // not for so many rounds: what gives up here stays locked
    found now;
    if (known) {
      now.what = last_;
    } else {
      auto looked = co_await from_.look(name_, until);
      if (!looked && left_in_doubt_)
        co_return failure{make_error_code(errc::outcome_unknown), looked.get_failure().details};
      if (!looked) co_return looked.get_failure();
      now = std::move(*looked);
    }
    known = false;
    if (!now.what || find_owner(*now.what, owner_) == nullptr) {
      auto const ruled_out = co_await rule_out(now, until);
      if (!ruled_out) co_return ruled_out.get_failure();
      if (*ruled_out) {
        doubt_.reset();
        continue;  // and see whether it was carried out just before
      }
      co_return absent(now, drive.now());
    }
    auto const gone = co_await leave(std::move(*now.what), hold_off, until);
    if (!gone) {
      auto const why = gone.error();
      if (why == errc::outcome_unknown || why == errc::cancelled) left_in_doubt_ = true;
      co_return gone.get_failure();
    }
    if (!*gone) continue;
    bool const was_over = state_ == state::holding && drive.now() >= good_until_;
    begin_anew();
    if (was_over) co_return failure{errc::expired};
    co_return result<void>();
  } while (drive.now() < until);
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(from_.where().shown + ": too many write to this lock at once")};
}

}  // namespace leasehold::inline v0_1::cosmos
