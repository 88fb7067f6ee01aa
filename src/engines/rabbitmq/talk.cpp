#include "engines/rabbitmq/talk.hpp"

#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/seat.hpp"
#include "engines/rabbitmq/timing.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

constexpr std::string_view asks = "lhq1";
constexpr std::string_view answers = "lha1";

std::string_view word_for(question::kind k) {
  return k == question::kind::who ? "who" : k == question::kind::list ? "list" : "evict";
}

std::uint64_t ms_until(time_point t, time_point now) {
  return t <= now ? 0 : static_cast<std::uint64_t>(in_ms(t - now)) + 1;
}

}  // namespace

spi::task<result<std::vector<fields>>> talk::ask(question q) {
  if (auto const up = in_.ensure_up(); !up) co_return up.get_failure();
  auto const id = next_++;
  fields out;
  out.add("v", asks);
  out.add("k", word_for(q.what));
  out.add("id", id);
  out.add("to", in_.line().mailbox());
  out.add("n", q.name);
  if (q.what == question::kind::evict) {
    out.add("t", q.token);
    out.add("now", q.now ? "1" : "0");
  }
  pending mine;
  mine.first_ends = q.what == question::kind::evict;
  mine.holder_ends = q.holder_is_enough;
  asked_.emplace(id, &mine);
  in_.line().publish(channel::talk, exchange_of(in_.where().prefix), "", out.text());
  auto const window = std::max<duration>(std::chrono::milliseconds(50), 3 * in_.round_trip());
  auto const until = after(in_.now(), mine.first_ends ? 4 * window : window);
  while (in_.is_up() && !co_await in_.wait(mine.enough, until) && in_.now() < until) {
  }
  asked_.erase(id);
  co_return std::move(mine.rows);
}

void talk::connection_lost() {
  for (auto const& [id, p] : asked_) in_.ring(p->enough);
}

void talk::take(std::string const& body) {
  fields const in(body);
  if (in.get("v") == answers) {
    auto const found = asked_.find(in.number("id"));
    if (found == asked_.end()) return;
    auto& p = *found->second;
    p.rows.push_back(in);
    if (p.first_ends || (p.holder_ends && in.get("k") == "held")) in_.ring(p.enough);
  } else if (in.get("v") == asks) {
    in.get("k") == "evict" ? evict(in) : reply_to(in);
  }
}

fields talk::row_of(seat& s) const {
  auto const now = in_.now();
  fields row;
  std::lock_guard const hold(s.guard);
  bool const holds = s.now == phase::held || s.now == phase::ready;
  bool const has_token = !s.hand.empty();
  if (holds) {
    row.add("k", "held");
    row.add("t", s.fence);
    row.add("left", ms_until(s.expires_at, now));
  } else if (has_token) {
    row.add("k", "off");
    row.add("left", ms_until(s.leave_at ? *s.leave_at : s.owed, now));
  } else if (s.now == phase::waiting || s.now == phase::joining) {
    row.add("k", "waits");
  } else {
    return row;
  }
  row.add("age", static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - s.since).count())));
  row.add("n", s.name);
  for (auto const& [key, value] : s.who.all()) row.add("w." + key, value);
  return row;
}

void talk::answer_of(seat& s) {
  if (s.ask_back.empty() || !in_.is_up()) return;
  in_.line().publish(channel::talk, "", s.ask_back, s.answer);
  s.ask_back.clear();
}

void talk::reply_to(fields const& q) {
  bool const whole = q.get("k") == "who";
  auto const name = q.get("n");
  for (auto const& s : in_.seats()) {
    if (whole ? s->name != name : !s->name.starts_with(name)) continue;
    auto const row = row_of(*s);
    if (row.all().empty()) continue;
    fields out;
    out.add("v", answers);
    out.add("id", q.get("id"));
    in_.line().publish(channel::talk, "", q.get("to"), out.text() + "&" + row.text());
  }
}

void talk::evict(fields const& q) {
  for (auto const& s : in_.seats()) {
    if (s->name != q.get("n")) continue;
    {
      std::lock_guard const hold(s->guard);
      if (s->now != phase::held || s->fence != q.number("t")) continue;
      s->leave_at = q.get("now") == "1" ? in_.now() : after(s->expires_at, s->lock_delay);
    }
    if (s->lose({make_error_code(errc::lost), diagnostics("an operator took the lease away")})) in_.lost_one();
    fields out;
    out.add("v", answers);
    out.add("id", q.get("id"));
    out.add("k", "evicted");
    s->answer = out.text();
    s->ask_back = q.get("to");
    if (*s->leave_at > in_.now()) answer_of(*s);  // else once it is free
    in_.ring(s->event);
    return;
  }
}

}  // namespace leasehold::inline v0_1::rabbitmq
