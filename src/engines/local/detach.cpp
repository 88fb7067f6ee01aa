// Decides how a held name outlives its process: it belongs to nobody until its deadline, and to whoever shows the ticket.
#include "engines/local/claim.hpp"

#include <sys/random.h>

#include <charconv>

namespace leasehold::inline v0_1::local {

namespace {

struct ticket_text {
  u64 token = 0;
  u64 secret = 0;
  u64 seat = 0;  ///< 0: exclusive
};

constexpr std::string_view ticket_prefix = "local1";

std::string print(ticket_text const& t) {
  std::string text(ticket_prefix);
  for (u64 const part : {t.token, t.secret, t.seat}) {
    std::array<char, 17> digits{};
    auto const end = std::to_chars(digits.data(), digits.data() + digits.size(), part, 16).ptr;
    text.append("-").append(digits.data(), end);
  }
  return text;
}

std::optional<ticket_text> parse(std::string_view text) {
  ticket_text t;
  if (!text.starts_with(ticket_prefix)) return std::nullopt;
  text.remove_prefix(ticket_prefix.size());
  for (u64* part : {&t.token, &t.secret, &t.seat}) {
    if (!text.starts_with('-')) return std::nullopt;
    auto const [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), *part, 16);
    if (error != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return text.empty() ? std::optional(t) : std::nullopt;
}

}  // namespace

spi::task<result<std::string>> local_claim::detach() {
  if (ttl_ == 0)
    co_return failure(errc::unsupported, diagnostics("only a lease with a TTL can be detached", "ask for a TTL"));
  if (revoked() || !is_held()) co_return failure(errc::lost);
  ticket_text ticket{token_, 0, mode_.is_exclusive() ? 0 : u64{seat_}};
  if (::getrandom(&ticket.secret, sizeof ticket.secret, 0) != static_cast<ssize_t>(sizeof ticket.secret)) {
    co_return failure(errc::unavailable);
  }
  auto& r = mem().record_at(record_);
  if (mode_.is_exclusive()) {
    put(r.ticket, ticket.secret);
    word w{get(r.word)};
    do {
      if (!w.is_grant(session().slot(), token_)) co_return failure(errc::lost);
    } while (!swap(r.word, w.bits, word::make(w.kind(), nobody, token_, w.waiters()).bits));
  } else {
    auto& s = mem().seat_at(seat_);
    put(s.ticket, ticket.secret);
    u32 expected = seat_status::make(seat_state::holding, session().slot()).bits;
    if (!swap(s.status, expected, seat_status::make(seat_state::holding, nobody).bits)) co_return failure(errc::lost);
    seat_ = 0;
  }
  phase_.store(phase::idle, std::memory_order_release);
  co_return print(ticket);
}

result<spi::granted> local_claim::adopt(std::string_view text) {
  if (auto entered = session().enter(); !entered) return entered.get_failure();
  auto const ticket = parse(text);
  if (!ticket)
    return failure(errc::bad_option, diagnostics("this is no ticket of a local store", "pass what detach returned"));
  auto const found = find_name(mem(), hash_, name());
  if (found.which == 0 || (ticket->seat == 0) != mode_.is_exclusive()) return failure(errc::lost);
  auto& r = mem().record_at(found.which);
  auto* const s = mem().seat(static_cast<id>(ticket->seat));
  if (s == nullptr && !mode_.is_exclusive()) return failure(errc::lost);
  auto& deadline = s != nullptr ? s->deadline : r.deadline;
  u64 const end = get(deadline);
  if ((end & taken_bit) != 0 || now() > static_cast<instant>(end)) return failure(errc::lost);
  if (s != nullptr) {
    bool const same =
        get(s->token) == ticket->token && get(s->ticket) == ticket->secret && get(s->record) == found.which;
    u32 expected = seat_status::make(seat_state::holding, nobody).bits;
    if (!same || !swap(s->status, expected, seat_status::make(seat_state::holding, session().slot()).bits))
      return failure(errc::lost);
  } else {
    if (get(r.ticket) != ticket->secret) return failure(errc::lost);
    word w = found.seen;
    do {
      if (w.kind() != kind::held_on_terms || !w.is_grant(nobody, ticket->token)) return failure(errc::lost);
    } while (!swap(r.word, w.bits, word::make(w.kind(), session().slot(), ticket->token, w.waiters()).bits));
  }
  record_ = found.which;
  seat_ = static_cast<id>(ticket->seat);
  token_ = ticket->token;
  before_ = 0;
  deadline_ = end;
  if (ttl_ == 0) ttl_ = static_cast<std::int64_t>(get(s != nullptr ? s->ttl : r.ttl));
  phase_.store(phase::held, std::memory_order_release);
  return spi::granted{duration(static_cast<instant>(end) - now()), token_};
}

}  // namespace leasehold::inline v0_1::local
