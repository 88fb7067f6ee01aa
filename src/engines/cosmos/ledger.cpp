#include "engines/cosmos/ledger.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::cosmos {
namespace {

failure mismatch() {
  return {make_error_code(errc::mode_mismatch),
          diagnostics("the name is in use as another kind of lock",
                      "a semaphore shares its name with nothing; use another name")};
}

/// Whether `asked` goes together with those who hold.
bool admits(std::vector<entry> const& held, mode are, mode asked) noexcept {
  if (held.empty()) return true;
  if (are.is_exclusive() || asked.is_exclusive()) return false;
  if (std::ranges::any_of(held, &entry::off)) return false;
  return asked.is_reader() || held.size() < std::min(are.capacity, asked.capacity);
}

}  // namespace

entry* find_owner(document& in, std::string_view owner) noexcept {
  auto const at = std::ranges::find(in.entries, owner, &entry::owner);
  return at == in.entries.end() ? nullptr : &*at;
}
entry const* find_owner(document const& in, std::string_view owner) noexcept {
  return find_owner(const_cast<document&>(in), owner);
}

document next_version(document const& now) {
  document out = now;
  ++out.version;
  out.writer.clear();
  for (auto& e : out.entries) {
    if (e.beat_at == 0) e.beat_at = now.ts;
    if (e.since == 0) e.since = now.ts;
  }
  return out;
}

result<decision> take(document const& now, entry me, mode asked, std::uint64_t floor, time_left const& left) {
  taking out{next_version(now), 0};
  auto& held = out.next.entries;
  std::erase_if(held, [&](entry const& e) { return left(e) <= duration::zero(); });
  if (!held.empty() && out.next.mode.is_semaphore() != asked.is_semaphore()) return mismatch();
  if (!admits(held, out.next.mode, asked)) {
    refusal no;
    no.retry_after = duration::max();
    for (auto const& e : held) {
      no.retry_after = std::min(no.retry_after, left(e));
      if (!e.off && !no.has_holder) {
        no.has_holder = true;
        no.holder = holder_of(now, e, 0, {}, {});
      }
    }
    return decision(std::move(no));
  }
  if (out.next.fence >= number_max - 1) {
    return failure{make_error_code(errc::misconfigured),
                   diagnostics("the lock's counter is at its end: somebody has edited its document")};
  }
  if (held.empty()) out.next.mode = asked;
  if (asked.is_semaphore()) out.next.mode.capacity = std::min(out.next.mode.capacity, asked.capacity);
  out.next.fence = std::max(out.next.fence + 1, std::min(floor, number_max - 1));
  out.token = me.token = out.next.fence;
  held.push_back(std::move(me));
  return decision(std::move(out));
}

document without(document const& now, std::string_view owner, duration hold_off) {
  auto out = next_version(now);
  auto* const mine = find_owner(out, owner);
  if (hold_off > duration::zero()) {
    entry off;
    off.owner = mine->owner + "-off";
    off.token = mine->token;
    off.ttl = hold_off;
    off.off = true;
    *mine = std::move(off);
  } else {
    std::erase_if(out.entries, [&](entry const& e) { return e.owner == owner; });
  }
  return out;
}

document renewed(document const& now, std::string_view owner) {
  auto out = next_version(now);
  auto* const mine = find_owner(out, owner);
  ++mine->beat;
  mine->beat_at = 0;
  return out;
}

holder_info holder_of(document const& d, entry const& e, std::int64_t server_now, time_point at, duration left) {
  holder_info out;
  out.identity = e.identity;
  out.host = e.host;
  out.pid = e.pid;
  out.reason = e.reason;
  out.labels = e.labels;
  out.token = e.token;
  out.ttl = e.ttl;
  if (server_now == 0) return out;
  out.expires_at = at + left - e.delay;
  out.renewed_at = *out.expires_at - e.ttl;
  auto const since = e.since != 0 ? e.since : d.ts;
  out.acquired_at = at - std::chrono::seconds(std::max<std::int64_t>(server_now - since, 0));
  return out;
}

lock_info info_of(document const& d, std::int64_t server_now, time_point at, time_left const& left) {
  lock_info info;
  info.name = d.name;
  bool overdue = false;
  for (auto const& e : d.entries) {
    auto const rest = left(e);
    info.mode = d.mode;
    if (!e.off && rest > e.delay) {
      info.holders.push_back(holder_of(d, e, server_now, at, rest));
    } else if (rest > duration::zero()) {
      info.free_at = std::max(info.free_at.value_or(at), at + rest);
    } else if (!e.off) {
      overdue = true;
    }
  }
  if (overdue) info.state = lock_state::overdue;
  if (info.free_at) info.state = lock_state::held_off;
  if (!info.holders.empty()) info.state = lock_state::held;
  return info;
}

}  // namespace leasehold::inline v0_1::cosmos
