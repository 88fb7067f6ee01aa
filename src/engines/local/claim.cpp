#include "engines/local/claim.hpp"

#include <cstring>

namespace leasehold::inline v0_1::local {

std::unique_ptr<local_claim> local_claim::make(connection& c, spi::claim_spec const& spec) {
  // The two cache lines that the first look needs, asked for while the claim is being made.
  auto const& mem = c.session->mem();
  u64 const hash = hash_name(spec.name);
  __builtin_prefetch(&mem.bucket(hash));
  auto metadata = encode_metadata(spec.identity, spec.reason, spec.labels);
  if (metadata.size() > metadata_bytes_max) metadata.clear();
  std::unique_ptr<local_claim> made(new (spec.name.size() + metadata.size()) local_claim(c, spec, hash, metadata));
  if (auto const* const first = mem.record(get(mem.bucket(hash)))) __builtin_prefetch(first, 1);
  return made;
}

local_claim::local_claim(connection& c, spi::claim_spec const& spec, u64 hash, std::string_view metadata)
    : connection_(&c),
      hash_(hash),
      ttl_(spec.ttl.value_or(duration::zero()).count()),
      lock_delay_(spec.lock_delay.count()),
      mode_(spec.mode),
      metadata_bytes_(static_cast<u16>(metadata.size())),
      name_bytes_(static_cast<std::uint8_t>(spec.name.size())) {
  LEASEHOLD_ASSERT(!spec.name.empty() && spec.name.size() <= name_bytes_max);
  auto* const tail = reinterpret_cast<char*>(this + 1);
  std::memcpy(tail, spec.name.data(), spec.name.size());
  if (!metadata.empty()) std::memcpy(tail + spec.name.size(), metadata.data(), metadata.size());
}

local_claim::~local_claim() {
  bool const abandoned = (is_held() && !revoked()) || seat_ != 0;
  if (abandoned && !session().is_forked()) session().pin();
}

u64 local_claim::next_token() const noexcept {
  u64 const token = mem().header().token.fetch_add(1, std::memory_order_acq_rel) + 1;
  crash_point();
  // Often enough to stay far below the ceiling, seldom enough to cost nothing.
  constexpr u64 check_every = u64{1} << 24;
  if (token % check_every == 0) keep_ceiling(mem());
  return token;
}

spi::granted local_claim::grant() const {
  auto const& since = mode_.is_exclusive() ? mem().record_at(record_).acquired_at : mem().seat_at(seat_).since;
  return {ttl_ > 0 ? std::optional<duration>(duration(ttl_)) : std::nullopt, token_,
          to_time_point(static_cast<instant>(since.load(std::memory_order_relaxed)))};
}

result<spi::answer> local_claim::ask(bool may_queue) {
  if (!is_held()) {
    quick const answer = ask_quickly(may_queue);
    if (answer == quick::busy) return spi::answer(spi::busy{});
    if (answer == quick::look) return ask_slowly(may_queue);
  }
  return spi::answer(grant());
}

result<duration> local_claim::extend() {
  if (!is_held() || !session().is_live()) return failure(errc::lost);
  if (connection_->closed.load(std::memory_order_relaxed)) return failure(errc::cancelled);
  if (!mode_.is_exclusive()) return extend_shared();
  auto& r = mem().record_at(record_);
  if (!word{get(r.word)}.is_grant(session().slot(), token_)) return failure(errc::lost);
  if (ttl_ == 0) return duration::zero();
  instant const at = now();
  if (at > static_cast<instant>(deadline_)) return failure(errc::lost);
  // INVARIANT: whoever takes over or evicts marks the deadline first, so either this succeeds before, or not at all.
  u64 const later = as_deadline(at + ttl_);
  u64 expected = deadline_;
  if (!swap(r.deadline, expected, later)) return failure(errc::lost);
  deadline_ = later;
  return duration(ttl_);
}

result<void> local_claim::give_up(duration hold_off) {
  if (session().is_forked()) return {};
  if (session().is_disowned()) {
    seat_ = 0;
    bool const was_held = phase_.exchange(phase::idle, std::memory_order_acq_rel) == phase::held;
    return was_held ? result<void>(failure(errc::not_owner)) : result<void>();
  }
  if (is_held()) return mode_.is_exclusive() ? release(hold_off) : release_shared(hold_off);
  return seat_ != 0 ? leave_line() : result<void>();
}

bool local_claim::revoked() const noexcept {
  if (!is_held()) return false;
  if (!session().is_live()) return true;
  return mode_.is_exclusive() ? !word{get(mem().record_at(record_).word)}.is_grant(session().slot(), token_)
                              : !holds_seat();
}

}  // namespace leasehold::inline v0_1::local
