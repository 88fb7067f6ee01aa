#include "engines/rabbitmq/backend.hpp"

#include "engines/rabbitmq/claim.hpp"
#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/timing.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

leasehold::traits traits_of(settings const& of) {
  leasehold::traits out;
  out.engine = "rabbitmq";
  out.exclusion = out.exclusion_with_ttl = exclusion::timed;
  out.fencing = fencing::conditional;
  out.waiting = waiting::fifo;
  out.ttl_default = std::min<duration>(std::chrono::seconds(15), of.ttl_max());
  out.ttl_min = std::chrono::milliseconds(500);
  out.ttl_max = of.ttl_max();
  out.metadata_bytes_max = 4096;
  out.summary =
      "One message in a quorum queue of RabbitMQ: exclusive while clocks keep pace and the broker's nodes agree; "
      "tokens grow as long as "
      "the message lives, and over its loss if clocks agree. A lease is good for at most two heartbeats.";
  return out;
}

using view_answer = answer<result<backend::view>>;

spi::task<void> find_out(pump& p, question q, std::shared_ptr<view_answer> to) {
  backend::view out;
  if (auto const up = p.ensure_up(); !up) co_return to->give(up.get_failure());
  if (q.what != question::kind::list) {
    auto const there = co_await p.look(queue_of(p.where().prefix, q.name));
    if (!there) co_return to->give(there.get_failure());
    out.queue = *there;
    bool const somebody = out.queue && out.queue->messages == 0 && out.queue->consumers > 0;
    if (!somebody) co_return to->give(std::move(out));
  }
  auto rows = co_await p.talking().ask(q);
  if (!rows) co_return to->give(rows.get_failure());
  out.rows = std::move(*rows);
  to->give(std::move(out));
}

/// What a row says of whoever sent it.
holder_info who_of(fields const& row, time_point now) {
  fields own;
  for (auto const& [key, value] : row.all()) {
    if (key.starts_with("w.")) own.add(key.substr(2), value);
  }
  auto out = described(own);
  if (row.get("k") == "held") {
    out.token = row.number("t");
    out.expires_at = now + row.ms("left");
  }
  return out;
}

void add_row(lock_info& to, fields const& row, time_point now) {
  auto const kind = row.get("k");
  if (kind == "held") {
    to.state = lock_state::held;
    to.holders.push_back(who_of(row, now));
  } else if (kind == "off") {
    if (to.state != lock_state::held) to.state = lock_state::held_off;
    to.free_at = now + row.ms("left");
  } else {
    to.waiters.push_back(who_of(row, now));
  }
}

/// Who came first stands first.
void sort_rows(std::vector<fields>& rows) {
  std::ranges::stable_sort(rows, [](fields const& a, fields const& b) { return a.number("age") > b.number("age"); });
}

}  // namespace

backend::backend(settings of) : pump_(std::make_shared<pump>(std::move(of))), traits_(traits_of(pump_->where())) {}

backend::~backend() { close(); }

void backend::close() noexcept {
  constexpr duration farewell = std::chrono::seconds(2);
  pump_->close(farewell);
}

std::unique_ptr<spi::claim> backend::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<amqp_claim>(*this, spec);
}

result<void> backend::probe() {
  auto said = std::make_shared<answer<result<void>>>();
  auto& p = *pump_;
  if (!p.post([&p, said] { said->give(p.ensure_up()); })) return closed_store();
  constexpr duration at_most = std::chrono::seconds(15);
  auto const ok = said->get_blocking(at_most);
  if (!ok) return failure{make_error_code(errc::unavailable), diagnostics(p.where().shown + ": no connection in time")};
  return *ok;
}

spi::task<result<backend::view>> backend::see(question q, time_point until) {
  auto said = std::make_shared<view_answer>();
  auto& p = *pump_;
  if (!p.post([&p, q, said] { p.spawn(find_out(p, q, said)); })) co_return closed_store();
  auto got = co_await view_answer::get(said, until);
  if (got) co_return std::move(*got);
  co_return failure{make_error_code(errc::unavailable), no_answer(p.where()).details};
}

spi::task<result<lock_info>> backend::inspect(std::string_view name) {
  auto& drive = co_await spi::this_driver();
  question q;
  q.name = name;
  auto seen = co_await see(std::move(q), after(drive.now(), op_timeout_most));
  if (!seen) co_return seen.get_failure();
  lock_info out;
  out.name = name;
  bool const somebody = seen->queue && seen->queue->messages == 0 && seen->queue->consumers > 0;
  sort_rows(seen->rows);
  for (auto const& row : seen->rows) add_row(out, row, drive.now());
  // The one who has it does not answer for itself: cut off, stopped, or not one of ours.
  if (somebody && out.state == lock_state::free) out.state = lock_state::held;
  co_return out;
}

spi::task<result<std::vector<lock_info>>> backend::list(std::string_view prefix) {
  auto& drive = co_await spi::this_driver();
  question q;
  q.what = question::kind::list;
  q.name = prefix;
  auto seen = co_await see(std::move(q), after(drive.now(), op_timeout_most));
  if (!seen) co_return seen.get_failure();
  std::map<std::string, lock_info> by_name;
  sort_rows(seen->rows);
  for (auto const& row : seen->rows) {
    auto& info = by_name[std::string(row.get("n"))];
    info.name = row.get("n");
    add_row(info, row, drive.now());
  }
  std::vector<lock_info> out;
  for (auto& [name, info] : by_name) {
    if (info.state == lock_state::free) info.state = lock_state::held;  // waited for, so somebody has it
    out.push_back(std::move(info));
  }
  co_return out;
}

spi::task<result<void>> backend::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  auto& drive = co_await spi::this_driver();
  question q;
  q.what = question::kind::evict;
  q.name = name;
  q.token = token;
  q.now = options.now;
  auto const seen = co_await see(std::move(q), after(drive.now(), op_timeout_most));
  if (!seen) co_return seen.get_failure();
  if (!seen->rows.empty()) co_return result<void>();
  co_return failure{
      make_error_code(errc::not_owner),
      diagnostics("nobody who answers holds that name with that token",
                  "a holder that is stopped or cut off cannot be asked: the broker drops it after three heartbeats")};
}

}  // namespace leasehold::inline v0_1::rabbitmq
