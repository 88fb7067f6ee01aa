#include "engines/mem/client.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <utility>

namespace leasehold::inline v0_1::mem {
namespace {

constexpr traits mem_traits{
    .engine = "mem",
    .exclusion = exclusion::timed,
    .exclusion_with_ttl = exclusion::timed,
    .fencing = fencing::always,
    .waiting = waiting::fifo,
    .shared = true,
    .semaphore = true,
    .survives_holder_crash_at_once = false,
    .ttl_default = std::chrono::seconds(15),
    .ttl_min = std::chrono::milliseconds(50),
    .ttl_max = std::chrono::hours(24),
    .metadata_bytes_max = 4096,
    .note_bytes_max = 255,
    .result_bytes_max = 65536,
    .summary = "Inside one process only, for tests: exclusive while the clocks hold, tokens always grow.",
};

std::string const& host_name() {
  static std::string const name = [] {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? std::string(text.data()) : std::string("localhost");
  }();
  return name;
}

holder_info describe(spi::claim_spec const& spec) {
  holder_info who;
  who.host = host_name();
  who.pid = ::getpid();
  who.identity = spec.identity.empty() ? who.host + "/" + std::to_string(who.pid) : std::string(spec.identity);
  who.reason = spec.reason;
  for (auto const& l : spec.labels) who.labels.emplace_back(l.key, l.value);
  return who;
}

/// Keeps a claim among those to be woken for as long as its coroutine waits, however it ends.
class watching {
 public:
  watching(engine& where, mem_claim& who) noexcept : where_(where), who_(who) {}
  watching(watching const&) = delete;
  watching& operator=(watching const&) = delete;
  ~watching() { where_.unwatch(who_); }

 private:
  engine& where_;
  mem_claim& who_;
};

constexpr std::string_view ticket_prefix = "mem-";

}  // namespace

mem_claim::mem_claim(std::shared_ptr<client> from, spi::claim_spec const& spec, owner_id adopted)
    : from_(std::move(from)), name_(spec.name), may_hold_(adopted != 0) {
  asked_.owner = adopted != 0 ? adopted : from_->engine().new_owner();
  asked_.mode = spec.mode;
  asked_.ttl = spec.ttl.value_or(*mem_traits.ttl_default);
  asked_.lock_delay = spec.lock_delay;
  asked_.who = describe(spec);
  from_->engine().add(*this);
}

mem_claim::~mem_claim() { from_->engine().remove(*this); }

result<spi::answer> mem_claim::ask(bool enqueue) {
  auto reply = from_->engine().request<spi::answer>(
      *from_, name_, [&](lock_table& table, time_point now) { return table.attempt(now, name_, asked_, enqueue); });
  may_hold_ = reply ? std::holds_alternative<spi::granted>(*reply) : reply.error() == errc::outcome_unknown;
  return reply;
}

result<duration> mem_claim::extend() {
  return from_->engine().request<duration>(*from_, name_, [&](lock_table& table, time_point now) -> result<duration> {
    if (auto const ttl = table.renew(now, name_, asked_.owner)) return *ttl;
    return failure{errc::lost};
  });
}

result<void> mem_claim::leave(duration hold_off) {
  auto const met = from_->engine().request<departure>(*from_, name_, [&](lock_table& table, time_point now) {
    return result<departure>(table.withdraw(now, name_, asked_.owner, hold_off));
  });
  if (!met) {
    // It may have left already: then being absent is what a second try shall find.
    if (met.error() == errc::outcome_unknown) may_hold_ = false;
    return met.get_failure();
  }
  from_->engine().change_owner(*this, from_->engine().new_owner());
  revoked_.store(false, std::memory_order_release);
  bool const held = std::exchange(may_hold_, false);
  if (held && *met == departure::absent_free) return failure{errc::expired};
  if (held && *met == departure::absent_taken) return failure{errc::not_owner};
  return {};
}

spi::task<spi::wake> mem_claim::changed(time_point until) {
  auto& drive = co_await spi::this_driver();
  watching const scope(from_->engine(), *this);
  spi::wait_request sleep{};
  sleep.until = from_->engine().watch(*this, drive.get_waker(), until);
  if (sleep.until <= drive.now() && until > drive.now()) co_return spi::wake::ready;
  auto const why = co_await spi::wait_on(sleep);
  if (why == spi::wake::timeout && sleep.until < until) co_return spi::wake::ready;
  co_return why;
}

spi::task<result<std::string>> mem_claim::detach() {
  auto const left = extend();  // proof that it is still held; the ticket's holder has the whole TTL before it
  if (!left) co_return left.get_failure();
  may_hold_ = false;
  std::string ticket(ticket_prefix);
  ticket += std::to_string(asked_.owner);
  from_->engine().change_owner(*this, from_->engine().new_owner());
  co_return ticket;
}

spi::task<result<void>> mem_claim::put_note(std::string_view text) {
  co_return from_->engine().request<void>(*from_, name_, [&](lock_table& table, time_point now) -> result<void> {
    return table.put_note(now, name_, asked_.owner, text) ? result<void>() : result<void>(errc::lost);
  });
}

spi::task<result<std::optional<previous_holder>>> mem_claim::previous() {
  using answer = std::optional<previous_holder>;
  co_return from_->engine().request<answer>(*from_, name_, [&](lock_table& table, time_point now) -> result<answer> {
    if (auto found = table.previous(now, name_, asked_.owner)) return std::move(*found);
    return errc::lost;
  });
}

spi::task<result<void>> mem_claim::put_record(std::string_view value, duration window) {
  co_return from_->engine().request<void>(*from_, name_, [&](lock_table& table, time_point now) -> result<void> {
    switch (table.put_record(now, name_, asked_.owner, value, window)) {
      case recording::stored:
        return {};
      case recording::lost:
        return errc::lost;
      case recording::another_there:
        break;
    }
    return failure{errc::not_owner, diagnostics("mem: another completion is recorded under this name")};
  });
}

traits const& client::traits() const noexcept { return mem_traits; }

std::unique_ptr<spi::claim> client::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<mem_claim>(shared_from_this(), spec);
}

spi::task<result<spi::backend::adopted>> client::adopt(spi::claim_spec const& spec, std::string_view ticket) {
  owner_id before = 0;
  auto const end = ticket.data() + ticket.size();
  if (ticket.starts_with(ticket_prefix)) std::from_chars(ticket.data() + ticket_prefix.size(), end, before);
  if (before == 0) co_return failure{errc::bad_option, diagnostics("mem: not a ticket of this engine")};
  auto const mine = engine_->new_owner();
  auto const grant = engine_->request<spi::granted>(*this, spec.name, [&](lock_table& table, time_point now) {
    auto const taken = table.hand_over(now, spec.name, before, mine);
    return taken ? result<spi::granted>(*taken) : result<spi::granted>(errc::lost);
  });
  if (!grant) co_return grant.get_failure();
  adopted out{std::make_unique<mem_claim>(shared_from_this(), spec, mine), *grant};
  co_return std::move(out);
}

spi::task<result<lock_info>> client::inspect(std::string_view name) {
  co_return engine_->request<lock_info>(
      *this, name, [&](lock_table& table, time_point now) { return result<lock_info>(table.inspect(now, name)); });
}

spi::task<result<std::vector<lock_info>>> client::list(std::string_view prefix) {
  using infos = std::vector<lock_info>;
  co_return engine_->request<infos>(
      *this, {}, [&](lock_table& table, time_point now) { return result<infos>(table.list(now, prefix)); });
}

spi::task<result<void>> client::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  owner_id victim = 0;
  auto const reply = engine_->request<owner_id>(*this, name, [&](lock_table& table, time_point now) {
    victim = table.evict(now, name, token, options.now);
    return victim != 0 ? result<owner_id>(victim) : result<owner_id>(errc::not_owner);
  });
  if (victim != 0) engine_->revoke(victim);
  if (!reply) co_return reply.get_failure();
  co_return result<void>();
}

spi::task<result<std::optional<completion>>> client::get_record(std::string_view name) {
  using answer = std::optional<completion>;
  co_return engine_->request<answer>(
      *this, name, [&](lock_table& table, time_point now) { return result<answer>(table.get_record(now, name)); });
}

void client::on_revocation(std::function<void()> tell) {
  std::lock_guard const hold(tell_guard_);
  tell_ = std::move(tell);
}

void client::tell_revoked() {
  std::lock_guard const hold(tell_guard_);
  if (tell_) tell_();
}

}  // namespace leasehold::inline v0_1::mem
