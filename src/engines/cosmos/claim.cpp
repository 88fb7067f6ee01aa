#include "engines/cosmos/claim.hpp"

#include "engines/cosmos/names.hpp"
#include "model/assert.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace leasehold::inline v0_1::cosmos {
namespace {

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

/// In the article's dialect a free lock is an item that is not there.
spi::task<result<cosmos_claim::written>> cosmos_claim::erase(document now, time_point until) {
  auto const said = co_await from_.documents().remove(id_, now.etag, until);
  if (!said) co_return said.get_failure();
  switch (meaning_of(*said)) {
    case meaning::missing:
      co_return written::missing;
    case meaning::conflict:
      co_return written::conflict;
    default:
      co_return written::done;
  }
}

/// What the token is at least: where there is no counter that remembers, the service's clock.
spi::task<result<std::uint64_t>> cosmos_claim::floor(document const& base, time_point until) {
  auto& drive = co_await spi::this_driver();
  bool const remembers = !base.etag.empty() && !from_.arbiter().may_forget();
  auto const clock = remembers ? 0 : from_.documents().net().server_ms(drive.now());
  auto const least = static_cast<std::uint64_t>(std::max<std::int64_t>(clock, 0));
  if (!from_.where().article) co_return least;
  co_return co_await from_.next_fence(name_, std::max(least, base.fence + 1), until);
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
  if (from_.where().article && id_ != name_) {
    co_return failure{make_error_code(errc::bad_name), diagnostics("this name cannot be an id in the article's dialect",
                                                                   "letters, digits, '-', '_' and '.' can")};
  }
  auto const allowed = co_await from_.arbiter().may_grant(until);
  if (!allowed) co_return allowed.get_failure();
  auto base = from_.seen().take_free(name_);
  bool created = false;
  for (int round = 0; round < rounds_max; ++round) {
    if (!base && !created) {
      auto now = co_await from_.look(name_, until);
      if (!now) co_return now.get_failure();
      if (now->foreign) {
        ++refusals_;
        co_return spi::answer(refused(refusal{poll_most, foreign_holder(), true}));
      }
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
    auto const left = from_.judge(*base, drive.now());
    auto decided = take(*base, me, mode_, 0, left);
    if (decided && std::holds_alternative<taking>(*decided)) {
      auto const least = co_await floor(*base, until);
      if (!least) co_return least.get_failure();
      decided = take(*base, std::move(me), mode_, *least, left);
    }
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
  do {
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
  } while (drive.now() < until);
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(from_.where().shown + ": too many write to this lock at once")};
}

}  // namespace leasehold::inline v0_1::cosmos
