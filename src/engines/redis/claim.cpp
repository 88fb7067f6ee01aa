#include "engines/redis/claim.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/metadata.hpp"
#include "model/assert.hpp"

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1::redis {
namespace {

constexpr std::string_view ticket_prefix = "redis-";

bool may_have_happened(std::error_code code) { return code == errc::outcome_unknown || code == errc::cancelled; }

}  // namespace

std::string ms_text(duration d) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

std::vector<std::string_view> script_keys(name_keys const& keys) {
  return {keys.lock, keys.line, keys.waiters, keys.shared, keys.metadata, guard_key, index_key};
}

redis_claim::redis_claim(backend& from, spi::claim_spec const& spec)
    : from_(from),
      name_(spec.name),
      description_(describe(spec, spec.ttl.value_or(*from.traits().ttl_default))),
      ttl_(spec.ttl.value_or(*from.traits().ttl_default)),
      lock_delay_(spec.lock_delay),
      patience_(std::min(spec.op_timeout.value_or(std::min(op_timeout_most, ttl_ / 4)), ttl_)),
      capacity_(spec.mode.capacity) {}

redis_claim::~redis_claim() { stop_listening(); }

void redis_claim::stop_listening() noexcept {
  if (ear_) from_.calls().forget(*ear_);
  ear_.reset();
}

std::vector<std::string> redis_claim::request_of_grant(bool enqueue) const {
  auto const& where = from_.where();
  auto place = enqueue ? ms_text(place_lifetime(ttl_)) + " " + from_.calls().channel() : std::string();
  return {owner_,
          ms_text(ttl_),
          ms_text(lock_delay_),
          std::to_string(capacity_),
          "o=" + owner_ + description_,
          where.guarded ? ms_text(where.max_ttl) : "0",
          std::move(place)};
}

spi::task<result<spi::answer>> redis_claim::ask(bool enqueue) {
  if (is_reserved(name_)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  from_.calls().relax(drive.now());
  if (owner_.empty()) owner_ = new_owner();
  if (enqueue) {
    if (!ear_) ear_ = std::make_unique<ear>();
    from_.calls().expect(*ear_, owner_);
  }
  name_keys const keys(name_);
  auto const before = std::exchange(state_, state::holding);  // perhaps, from here on, even if this is never resumed
  auto r = co_await from_.requests().run(acquire_script(), script_keys(keys), request_of_grant(enqueue), until);
  // A broken connection, as against silence: asking again under the same owner id settles what became of the first request.
  if (!r && r.error() == errc::outcome_unknown && drive.now() < until) {
    r = co_await from_.requests().run(acquire_script(), script_keys(keys), request_of_grant(enqueue), until);
  }
  if (!r) {
    if (!may_have_happened(r.error())) state_ = before;
    co_return r.get_failure();
  }
  auto answer = answer_of(*r, ttl_, drive.now(), from_.where());
  if (!answer) {
    state_ = before;
  } else if (std::holds_alternative<spi::busy>(*answer)) {
    state_ = enqueue ? state::in_line : state::apart;
  } else {
    stop_listening();
  }
  co_return answer;
}

spi::task<result<duration>> redis_claim::renew() {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  name_keys const keys(name_);
  std::vector<std::string_view> const lock_alone{name_};
  std::vector<std::string> const arguments{owner_, ms_text(ttl_), ms_text(lock_delay_)};
  auto const& how = is_alone() ? renew_script() : renew_shared_script();
  auto const which = is_alone() ? lock_alone : script_keys(keys);
  auto r = co_await from_.requests().run(how, which, arguments, until);
  if (!r && r.error() == errc::outcome_unknown && drive.now() < until) {
    r = co_await from_.requests().run(how, which, arguments, until);
  }
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, from_.where());
  auto const kept = is_alone() ? r->at(0).as_number() : r->as_number();
  if (!kept) co_return unexpected(from_.where());
  if (*kept == 1) co_return ttl_;
  co_return failure{errc::lost};
}

result<void> redis_claim::departed(std::int64_t outcome) {
  bool const held = state_ == state::holding && !std::exchange(in_doubt_, false);
  begin_anew();
  if (outcome > 0 || !held) return {};
  return outcome == 0 ? errc::expired : errc::not_owner;
}

void redis_claim::begin_anew() {
  state_ = state::apart;
  in_doubt_ = false;
  owner_.clear();
}

spi::task<result<void>> redis_claim::withdraw(duration hold_off) {
  stop_listening();
  if (state_ == state::apart) co_return result<void>();
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  name_keys const keys(name_);
  std::vector<std::string> const arguments{owner_, ms_text(lock_delay_), ms_text(hold_off)};
  auto r = co_await from_.requests().run(withdraw_script(), script_keys(keys), arguments, until);
  if (!r) {
    if (may_have_happened(r.error())) in_doubt_ = true;
    co_return r.get_failure();
  }
  if (r->is_error()) co_return failure_of(*r, from_.where());
  auto const outcome = r->as_number();
  if (!outcome) co_return unexpected(from_.where());
  co_return departed(*outcome);
}

spi::task<spi::wake> redis_claim::changed(time_point until) {
  if (ear_) co_return co_await from_.calls().listen(*ear_, until);
  spi::wait_request sleep{};
  sleep.until = until;
  co_return co_await spi::wait_on(sleep);
}

spi::task<result<std::string>> redis_claim::detach() {
  auto const left = co_await renew();  // proof that it is still held; the ticket's holder has the whole TTL before it
  if (!left) co_return left.get_failure();
  auto ticket = std::string(ticket_prefix) + owner_;
  begin_anew();
  co_return ticket;
}

spi::task<result<spi::granted>> redis_claim::take_over(std::string_view ticket) {
  constexpr std::size_t owner_bytes = 32;
  bool const is_one = ticket.starts_with(ticket_prefix) && ticket.size() == ticket_prefix.size() + owner_bytes;
  if (!is_one) co_return failure{make_error_code(errc::bad_option), diagnostics("redis: not a ticket of this engine")};
  if (is_reserved(name_)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + patience_;
  name_keys const keys(name_);
  if (owner_.empty()) owner_ = new_owner();
  std::vector<std::string> const arguments{std::string(ticket.substr(ticket_prefix.size())), owner_,
                                           "o=" + owner_ + description_};
  auto const r = co_await from_.requests().run(adopt_script(), script_keys(keys), arguments, until);
  state_ = state::holding;
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, from_.where());
  auto const token = r->at(0).as_number();
  auto const left = r->at(1).as_number();
  if (!token || !left) co_return failure{errc::lost};
  co_return spi::granted{std::chrono::milliseconds(*left), static_cast<std::uint64_t>(*token)};
}

}  // namespace leasehold::inline v0_1::redis
