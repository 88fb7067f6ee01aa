#include "engines/cosmos/claim.hpp"

#include "engines/cosmos/names.hpp"
#include "model/assert.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <utility>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr int rounds_max = 6;
constexpr duration poll_least = std::chrono::milliseconds(40);
constexpr duration poll_most = std::chrono::seconds(1);

std::string const& host_name() {
  static std::string const name = [] {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? std::string(text.data()) : std::string("localhost");
  }();
  return name;
}

entry self_of(spi::claim_spec const& spec, duration ttl) {
  entry out;
  out.ttl = ttl;
  out.delay = spec.lock_delay;
  out.identity = spec.identity.empty() ? host_name() + "/" + std::to_string(::getpid()) : std::string(spec.identity);
  out.host = host_name();
  out.pid = ::getpid();
  out.reason = spec.reason;
  for (auto const& l : spec.labels) out.labels.emplace_back(l.key, l.value);
  return out;
}

/// Of this start of this machine: whether a time on its clock means anything here.
std::string const& boot() {
  static std::string const id = [] {
    std::ifstream in("/proc/sys/kernel/random/boot_id");
    std::string text;
    std::getline(in, text);
    return text.empty() ? std::string("unknown") : text.substr(0, 8);
  }();
  return id;
}

struct ticket {
  std::string owner;
  std::string boot;
  time_point until{};
};
constexpr std::string_view ticket_prefix = "cosmos-";

std::string ticket_text(ticket const& t) {
  return std::string(ticket_prefix) + t.owner + "-" + t.boot + "-" + std::to_string(t.until.time_since_epoch().count());
}

std::optional<ticket> read_ticket(std::string_view text) {
  if (!text.starts_with(ticket_prefix)) return std::nullopt;
  text.remove_prefix(ticket_prefix.size());
  auto const first = text.find('-');
  auto const last = text.rfind('-');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  duration::rep at = 0;
  auto const digits = text.substr(last + 1);
  auto const [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), at);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return ticket{std::string(text.substr(0, first)), std::string(text.substr(first + 1, last - first - 1)),
                time_point(duration(at))};
}

}  // namespace

std::string new_owner() {
  std::array<unsigned char, 16> bits{};
  std::size_t have = 0;
  while (have < bits.size()) {
    auto const n = ::getrandom(bits.data() + have, bits.size() - have, 0);
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  std::string out;
  for (auto const b : bits) out += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
  return out;
}

cosmos_claim::cosmos_claim(backend& from, spi::claim_spec const& spec)
    : from_(from),
      name_(spec.name),
      id_(id_of(spec.name)),
      self_(self_of(spec, spec.ttl.value_or(*from.traits().ttl_default))),
      mode_(spec.mode),
      patience_(std::min(spec.op_timeout.value_or(std::min(op_timeout_most, self_.ttl / 4)), self_.ttl)),
      owner_(new_owner()) {}

void cosmos_claim::begin_anew() {
  state_ = state::apart;
  doubt_.reset();
  left_in_doubt_ = false;
  last_ = {};
  owner_ = new_owner();
}

/// Writes `next` in place of what it was made from: `next.etag` says of which version; empty: there was none.
spi::task<result<cosmos_claim::written>> cosmos_claim::write(document next, time_point until) {
  next.writer = owner_;
  auto body = write_document(next);
  auto sent = next.etag.empty() ? from_.documents().create(id_, std::move(body), until)
                                : from_.documents().replace(id_, std::move(body), next.etag, until);
  auto const said = co_await std::move(sent);
  if (!said) co_return said.get_failure();
  switch (meaning_of(*said)) {
    case meaning::missing:
      co_return written::missing;
    case meaning::conflict:
      co_return written::conflict;
    default:
      break;
  }
  auto stored = read_document(said->body);
  next.ts = stored ? stored->ts : 0;
  next.etag = said->etag.empty() && stored ? stored->etag : said->etag;
  last_ = std::move(next);
  co_return written::done;
}

result<spi::answer> cosmos_claim::held(document d, time_point sent_at) {
  auto const* const mine = find_owner(d, owner_);
  LEASEHOLD_ASSERT(mine != nullptr && mine->token > 0);
  auto const token = mine->token;
  last_ = std::move(d);
  state_ = state::holding;
  doubt_.reset();
  good_until_ = sent_at + self_.ttl;
  refusals_ = 0;
  return spi::answer(spi::granted{self_.ttl, token});
}

/// Looks again when the obstacle may be gone, but sooner at first, and never later than a second.
spi::busy cosmos_claim::refused(refusal no) const {
  auto const patient = poll_least * (1 << std::min(refusals_, 5));
  spi::busy out;
  out.retry_after = std::clamp<duration>(std::min(no.retry_after, patient), std::chrono::milliseconds(1), poll_most);
  if (no.has_holder) out.holder = std::make_shared<holder_info const>(std::move(no.holder));
  return out;
}

spi::task<result<spi::answer>> cosmos_claim::ask() {
  auto& drive = co_await spi::this_driver();
  auto const sent_at = drive.now();
  auto const until = sent_at + patience_;
  auto const allowed = co_await from_.arbiter().may_grant(until);
  if (!allowed) co_return allowed.get_failure();
  auto base = from_.seen().take_free(name_);
  bool created = false;
  for (int round = 0; round < rounds_max; ++round) {
    if (!base && !created) {
      auto now = co_await from_.look(name_, until);
      if (!now) co_return now.get_failure();
      base = std::move(now->what);
      created = !base;
    }
    if (!base) {
      base.emplace();
      base->name = name_;
    }
    if (find_owner(*base, owner_) != nullptr) co_return held(std::move(*base), sent_at);  // an earlier write of ours
    auto me = self_;
    me.owner = owner_;
    bool const from_the_clock = base->etag.empty() || from_.arbiter().may_forget();
    auto const floor = from_the_clock ? from_.documents().net().server_ms(drive.now()) : 0;
    auto decided = take(*base, std::move(me), mode_, static_cast<std::uint64_t>(std::max<std::int64_t>(floor, 0)),
                        from_.judge(*base, drive.now()));
    if (!decided) co_return decided.get_failure();
    if (auto* const no = std::get_if<refusal>(&*decided)) {
      ++refusals_;
      co_return spi::answer(refused(std::move(*no)));
    }
    auto& next = std::get<taking>(*decided).next;
    state_ = state::in_doubt;  // from here on, even if this is never resumed
    doubt_ = doubt{next.etag};
    auto const how = co_await write(std::move(next), until);
    if (!how) {
      bool const may_be = how.error() == errc::outcome_unknown || how.error() == errc::cancelled;
      if (!may_be) begin_anew();
      co_return how.get_failure();
    }
    if (*how == written::done) co_return held(std::move(last_), sent_at);
    created = false;
    base.reset();
  }
  // Somebody was faster each time, and we know that none of our writes is in doubt: each was answered.
  state_ = state::apart;
  doubt_.reset();
  ++refusals_;
  co_return spi::answer(refused(refusal{poll_least, {}, false}));
}

spi::task<result<duration>> cosmos_claim::renew() {
  auto& drive = co_await spi::this_driver();
  if (state_ != state::holding) co_return failure{errc::lost};
  auto const sent_at = drive.now();
  auto const until = sent_at + patience_;
  auto const followed = co_await from_.arbiter().follow(until);
  if (!followed) co_return followed.get_failure();
  auto const* const before = find_owner(last_, owner_);
  auto const beat = before->beat + 1;
  auto base = last_;
  for (int round = 0; round < rounds_max; ++round) {
    auto const how = co_await write(renewed(base, owner_), until);
    if (!how) co_return how.get_failure();
    if (*how == written::missing) co_return failure{errc::lost};
    if (*how == written::conflict) {
      auto now = co_await from_.look(name_, until);
      if (!now) co_return now.get_failure();
      auto const* const mine = now->what ? find_owner(*now->what, owner_) : nullptr;
      if (mine == nullptr) co_return failure{errc::lost};
      base = std::move(*now->what);
      if (find_owner(base, owner_)->beat < beat) continue;  // somebody else has written: once more, on top of that
      last_ = std::move(base);                              // our own write, whose answer was lost
    }
    good_until_ = sent_at + self_.ttl;
    co_return self_.ttl;
  }
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(from_.where().shown + ": too many write to this lock at once")};
}

/// A write in doubt must not be carried out later: whatever it was conditional on is changed. False: it already was.
spi::task<result<bool>> cosmos_claim::rule_out(found const& now, time_point until) {
  auto const etag = now.what ? now.what->etag : std::string();
  if (!doubt_ || etag != doubt_->etag) co_return false;
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
  co_return true;
}

result<void> cosmos_claim::absent(found const& now, time_point at) {
  // Our own departure, perhaps, whose answer was lost on the way.
  bool const left = left_in_doubt_ || (now.what && now.what->writer == owner_);
  bool const was_held = state_ == state::holding && !left;
  begin_anew();
  if (!was_held) return {};
  auto const rest = now.what ? from_.judge(*now.what, at) : time_left();
  bool const taken = now.what && std::ranges::any_of(now.what->entries, [&](entry const& e) {
                       return !e.off && rest(e) > duration::zero();
                     });
  return taken ? errc::not_owner : errc::expired;
}

/// Writes the document without us; false: it has changed meanwhile.
spi::task<result<bool>> cosmos_claim::leave(document now, duration hold_off, time_point until) {
  auto& drive = co_await spi::this_driver();
  auto const how = co_await write(without(now, owner_, hold_off), until);
  if (!how) co_return how.get_failure();
  if (*how == written::conflict) co_return false;
  if (*how == written::done && last_.entries.empty()) from_.seen().keep_free(std::move(last_), drive.now());
  co_return true;
}

spi::task<result<void>> cosmos_claim::withdraw(duration hold_off) {
  if (state_ == state::apart) co_return result<void>();
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  static_cast<void>(co_await from_.arbiter().follow(until));
  bool known = state_ == state::holding && !left_in_doubt_;
  for (int round = 0; round < rounds_max; ++round) {
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
  }
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(from_.where().shown + ": too many write to this lock at once")};
}

spi::task<result<std::string>> cosmos_claim::detach() {
  auto const left = co_await renew();  // proof that it is still held; the ticket's holder has the whole TTL before it
  if (!left) co_return left.get_failure();
  auto text = ticket_text(ticket{owner_, boot(), good_until_});
  begin_anew();
  co_return text;
}

spi::task<result<spi::granted>> cosmos_claim::take_over(std::string text) {
  auto const of = read_ticket(text);
  if (!of) co_return failure{make_error_code(errc::bad_option), diagnostics("cosmos: not a ticket of this engine")};
  auto& drive = co_await spi::this_driver();
  auto const sent_at = drive.now();
  auto const until = sent_at + patience_;
  for (int round = 0; round < rounds_max; ++round) {
    auto now = co_await from_.look(name_, until);
    if (!now) co_return now.get_failure();
    if (!now->what) co_return failure{errc::lost};
    auto const* const before = find_owner(*now->what, of->owner);
    auto const* const mine = find_owner(*now->what, owner_);
    if (mine == nullptr) {
      bool const over = of->boot == boot()
                            ? drive.now() >= of->until
                            : before != nullptr && from_.judge(*now->what, drive.now())(*before) <= duration::zero();
      if (before == nullptr || over) co_return failure{errc::lost};
      auto next = renewed(*now->what, of->owner);
      auto* const taken = find_owner(next, of->owner);
      auto const token = taken->token;
      auto const beat = taken->beat;
      auto const since = taken->since;
      *taken = self_;
      taken->owner = owner_;
      taken->token = token;
      taken->beat = beat;
      taken->since = since;
      state_ = state::in_doubt;
      doubt_ = doubt{next.etag};
      auto const how = co_await write(std::move(next), until);
      if (!how) co_return how.get_failure();
      if (*how != written::done) continue;
    } else {
      last_ = std::move(*now->what);
    }
    auto const answer = held(std::move(last_), sent_at);
    co_return std::get<spi::granted>(*answer);
  }
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(from_.where().shown + ": too many write to this lock at once")};
}

}  // namespace leasehold::inline v0_1::cosmos
