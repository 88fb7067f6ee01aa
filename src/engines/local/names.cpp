#include "engines/local/names.hpp"

#include "engines/local/remains.hpp"

#include <algorithm>
#include <map>

namespace leasehold::inline v0_1::local {

sighting find_name(view const& mem, u64 hash, std::string_view name) noexcept {
  id at = get(mem.bucket(hash));
  for (u32 n = 0; n < mem.geometry().slice; ++n) {
    auto* const r = mem.record(at);
    if (r == nullptr) break;
    sighting found{at, {}};
    if (is_still(mem, *r, hash, name, found.seen)) return found;
    at = get(r->next);
  }
  return {};
}

namespace {

void unlink_name(view const& mem, id which) noexcept {
  auto& r = mem.record_at(which);
  auto* link = &mem.bucket(get(r.hash));
  for (u32 n = 0; n < mem.geometry().slice; ++n) {
    id const at = get(*link);
    if (at == which) return put(*link, get(r.next));
    if (mem.record(at) == nullptr) return;
    link = &mem.record_at(at).next;
  }
}

/// Turns a free record into one that is being changed, so that nobody gets it under its old name.
bool begin_change(visit& at, id which) {
  auto& r = at.mem().record_at(which);
  word w = at.settle(which);
  if (w.kind() == kind::changing) return true;
  if (w.kind() != kind::free || w.waiters() || is_completed(at.mem(), r, at.time())) return false;
  u64 const token = at.mem().header().token.fetch_add(1, std::memory_order_acq_rel) + 1;
  crash_point();
  return swap(r.word, w.bits, word::make(kind::changing, 0, token).bits);
}

/// A record that nobody needs: never used, or else one that is free.
id take_unneeded(visit& at) {
  auto const& mem = at.mem();
  auto& shard = mem.shard(at.shard());
  u32 const used = mem.used_records(at.shard());
  id const first = mem.first_record(at.shard());
  if (used < mem.geometry().slice) {
    put(shard.used, used + 1);
    if (begin_change(at, first + used)) return first + used;
  }
  u32 const hand = get(shard.hand);
  for (u32 i = 0; i < mem.geometry().slice; ++i) {
    u32 const index = (hand + i) % mem.geometry().slice;
    if (!begin_change(at, first + index)) continue;
    put(shard.hand, (index + 1) % mem.geometry().slice);
    return first + index;
  }
  return 0;
}

failure full(visit& at) {
  auto const& mem = at.mem();
  std::map<u32, u32> held_by;
  for (u32 i = 0; i < mem.geometry().slice; ++i) {
    word const w{get(mem.record_at(mem.first_record(at.shard()) + i).word)};
    if (w.is_held() && w.owner() < process_count) ++held_by[get(mem.process(w.owner()).pid)];
  }
  std::string who = "shared, held off, or of completions that are remembered";
  if (!held_by.empty()) {
    auto const most =
        std::max_element(held_by.begin(), held_by.end(), [](auto& a, auto& b) { return a.second < b.second; });
    who = std::to_string(most->second) + " of them by process " + std::to_string(most->first);
  }
  return file_failure(errc::unavailable, at.session().file().path(),
                      "is full: all " + std::to_string(mem.geometry().slice) +
                          " records that this name could use (of " + std::to_string(mem.geometry().records) +
                          ") are in use, " + who,
                      "release some, or make a larger store: local:PATH?capacity=N");
}

failure out_of_blocks(visit& at) {
  return file_failure(errc::unavailable, at.session().file().path(), "has no room left for long names",
                      "use shorter names, or make a larger store: local:PATH?capacity=N");
}

}  // namespace

result<id> find_or_add(visit& at, u64 hash, std::string_view name) {
  auto const& mem = at.mem();
  if (auto const found = find_name(mem, hash, name); found.which != 0) return found.which;
  id const which = take_unneeded(at);
  if (which == 0) return full(at);
  auto& r = mem.record_at(which);
  if (name_bytes(get(r.lengths)) != 0) unlink_name(mem, which);
  put(r.lengths, 0);
  free_blocks(mem, r);
  drop_remains(mem, r);
  u32 const words = words_for(name.size());
  if (!make_room(mem, which, words) && !(drop_idle_remains(at) && make_room(mem, which, words)))
    return out_of_blocks(at);
  text_cursor text(mem, r);
  write_text(text, name);
  put(r.hash, hash);
  put(r.stamp, 0);
  put(r.lengths, make_lengths(name.size(), 0));
  auto& bucket = mem.bucket(hash);
  put(r.next, get(bucket));
  put(bucket, which);
  put(r.word, word::make(kind::free, 0, word{get(r.word)}.seq()).bits);
  return which;
}

}  // namespace leasehold::inline v0_1::local
