// Decides what others see of a record. Reads without a latch: each record is read until its word stood still meanwhile.
#include "engines/local/backend.hpp"

#include <unistd.h>

#include <algorithm>
#include <unordered_map>

namespace leasehold::inline v0_1::local {

namespace {

std::string const& host_name() {
  static std::string const name = [] {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? std::string(text.data()) : std::string("localhost");
  }();
  return name;
}

void describe_process(session const& s, u16 slot, holder_info& into) {
  into.host = host_name();
  if (slot >= process_count) {
    into.identity = "detached";
    return;
  }
  auto const& p = s.mem().process(slot);
  into.pid = get(p.pid);
  into.user = std::to_string(get(p.uid));
  into.identity = into.host + "/" + std::to_string(into.pid);
}

void set_expiry(holder_info& into, u64 deadline, u64 ttl) {
  if ((deadline & ~taken_bit) == 0) return;
  into.expires_at = to_time_point(static_cast<instant>(deadline & ~taken_bit));
  if (ttl == 0) return;
  into.ttl = duration(static_cast<std::int64_t>(ttl));
  into.renewed_at = *into.expires_at - *into.ttl;
}

holder_info exclusive_holder(session const& s, record& r, word w) {
  holder_info who;
  describe_process(s, w.owner(), who);
  u64 const stamp = get(r.stamp);
  if ((stamp & word::seq_mask) == w.seq()) {
    who.token = stamp;
    who.acquired_at = to_time_point(static_cast<instant>(get(r.acquired_at)));
    decode_metadata(metadata_of(s.mem(), r), who);
  }
  if (w.kind() == kind::held_on_terms) set_expiry(who, get(r.deadline), get(r.ttl));
  return who;
}

void describe(session const& s, record& r, word w, lock_info& info) {
  auto const until = static_cast<instant>(get(r.deadline) & ~taken_bit);
  if (w.kind() == kind::held_off && now() < until) {
    info.state = lock_state::held_off;
    info.free_at = to_time_point(until);
  }
  // A dead holder holds nothing any more, whoever may find out first.
  if (!w.is_held() || s.fate_of(w.owner()) == fate::gone) return;
  info.state = lock_state::held;
  info.holders.push_back(exclusive_holder(s, r, w));
  if (auto const end = info.holders.front().expires_at; end && to_time_point(now()) > *end)
    info.state = lock_state::overdue;
}

struct seen_seat {
  u64 order;
  bool waits;
  u32 mode;
  holder_info who;
};

seen_seat look_at_seat(session const& s, seat const& seat, seat_status status) {
  seen_seat seen{get(seat.order), status.state() == seat_state::waiting, get(seat.mode), {}};
  describe_process(s, status.owner(), seen.who);
  seen.who.acquired_at = to_time_point(static_cast<instant>(get(seat.since)));
  if (!seen.waits) {
    seen.who.token = get(seat.token);
    set_expiry(seen.who, get(seat.deadline), get(seat.ttl));
  }
  std::string text(std::size_t{seat_text_words} * 8, '\0');
  for (u32 i = 0; i < seat_text_words; ++i) {
    u64 const w = get(seat.text[i]);
    std::memcpy(text.data() + std::size_t{i} * 8, &w, 8);
  }
  text.resize(std::min<std::size_t>(get(seat.text_bytes), text.size()));
  decode_metadata(text, seen.who);
  return seen;
}

void add_to(lock_info& info, seen_seat seen) {
  if (seen.waits) {
    info.waiters.push_back(std::move(seen.who));
    return;
  }
  info.mode = leasehold::mode{seen.mode};
  auto const end = seen.who.expires_at;
  bool const over = end && to_time_point(now()) > *end;
  if (info.state != lock_state::held) info.state = over ? lock_state::overdue : lock_state::held;
  info.holders.push_back(std::move(seen.who));
}

}  // namespace

previous_holder describe_end(remains const& what) {
  previous_holder before;
  auto& who = before.who;
  who.host = host_name();
  who.identity = "detached";
  if (what.pid != 0) {
    who.pid = what.pid;
    who.user = std::to_string(what.uid);
    who.identity = who.host + "/" + std::to_string(who.pid);
  }
  if (what.ended_token != 0) {
    who.token = what.ended_token;
    who.acquired_at = to_time_point(static_cast<instant>(what.began_at));
  }
  decode_metadata(what.metadata, who);
  who.note = what.last_note;
  before.how = what.has_died ? previous_holder::ending::died : previous_holder::ending::expired;
  before.ended_at = to_time_point(static_cast<instant>(what.ended_at));
  return before;
}

std::optional<lock_info> look_at(session const& s, id which, bool only_used) {
  auto& r = s.mem().record_at(which);
  constexpr int tries = 8;
  for (int i = 0; i < tries; ++i) {
    word const before{get(r.word)};
    u32 const length = name_bytes(get(r.lengths));
    if (before.kind() >= kind::changing || length == 0 || length > name_bytes_max) return std::nullopt;
    if (only_used && before.kind() == kind::free) return std::nullopt;
    lock_info info;
    info.name = name_of(s.mem(), r);
    describe(s, r, before, info);
    if (word{get(r.word)}.with_waiters(false) == before.with_waiters(false) || i + 1 == tries) return info;
  }
  return std::nullopt;
}

void add_seats(session const& s, std::span<std::pair<id, lock_info>> into) {
  auto const& mem = s.mem();
  std::unordered_map<id, lock_info*> infos;
  for (auto& [which, info] : into) infos[which] = &info;
  std::vector<std::pair<lock_info*, seen_seat>> seats;
  for (id which = 1; which <= mem.used_seats(); ++which) {
    auto const& seat = mem.seat_at(which);
    auto const status = status_of(seat);
    if (status.state() != seat_state::waiting && status.state() != seat_state::holding) continue;
    auto const info = infos.find(get(seat.record));
    if (info == infos.end() || s.fate_of(status.owner()) == fate::gone) continue;
    seats.emplace_back(info->second, look_at_seat(s, seat, status));
  }
  std::sort(seats.begin(), seats.end(), [](auto const& a, auto const& b) { return a.second.order < b.second.order; });
  for (auto& [info, seen] : seats) add_to(*info, std::move(seen));
}

}  // namespace leasehold::inline v0_1::local
