#include "engines/local/remains.hpp"

#include "engines/local/text.hpp"

#include <algorithm>
#include <array>

namespace leasehold::inline v0_1::local {

namespace {

/// The words before the texts. `lengths`: note, metadata, last note, result: 16 bits each.
enum field : std::size_t {
  lengths,
  noted_by,
  ended,
  ended_token,
  ended_at,
  began_at,
  who,
  completed_by,
  until,
  died,
  count
};
using fields = std::array<u64, field::count>;

std::size_t length_of(u64 all, int index) noexcept { return all >> (16 * index) & 0xFFFF; }

fields read_fields(text_cursor& at) noexcept {
  fields all{};
  for (auto& one : all) {
    auto const* const w = at.next();
    if (w != nullptr) one = get(*w);
  }
  return all;
}

fields fields_of(remains const& what) noexcept {
  fields all{};
  all[lengths] = u64{what.note.size()} | u64{what.metadata.size()} << 16 | u64{what.last_note.size()} << 32 |
                 u64{what.result.size()} << 48;
  all[noted_by] = what.noted_by;
  all[ended] = what.ended;
  all[ended_token] = what.ended_token;
  all[ended_at] = what.ended_at;
  all[began_at] = what.began_at;
  all[who] = u64{what.pid} | u64{what.uid} << 32;
  all[completed_by] = what.completed_by;
  all[until] = what.until;
  all[died] = what.has_died ? 1 : 0;
  return all;
}

}  // namespace

remains read_remains(view const& mem, record& r) {
  remains out;
  if (get(r.notes) == 0) return out;
  text_cursor at(mem, r.notes);
  auto const all = read_fields(at);
  out.noted_by = all[noted_by];
  out.ended = all[ended];
  out.ended_token = all[ended_token];
  out.ended_at = all[ended_at];
  out.began_at = all[began_at];
  out.pid = static_cast<u32>(all[who]);
  out.uid = static_cast<u32>(all[who] >> 32);
  out.completed_by = all[completed_by];
  out.until = all[until];
  out.has_died = all[died] != 0;
  out.note = read_text(at, std::min(length_of(all[lengths], 0), note_bytes_max));
  out.metadata = read_text(at, std::min(length_of(all[lengths], 1), metadata_bytes_max));
  out.last_note = read_text(at, std::min(length_of(all[lengths], 2), note_bytes_max));
  out.result = read_text(at, std::min(length_of(all[lengths], 3), result_bytes_max));
  return out;
}

bool write_remains(view const& mem, id which, remains const& what) {
  auto& r = mem.record_at(which);
  u32 words = field::count;
  for (auto const* text : {&what.note, &what.metadata, &what.last_note, &what.result}) words += words_for(text->size());
  id const fresh = claim_chain(mem, which, words);
  if (fresh == 0) return false;
  std::atomic<u32> head{fresh};
  text_cursor at(mem, head);
  for (u64 const one : fields_of(what)) {
    if (auto* const w = at.next(); w != nullptr) put(*w, one);
  }
  for (auto const* text : {&what.note, &what.metadata, &what.last_note, &what.result}) write_text(at, *text);
  id const before = get(r.notes);
  put(r.notes, fresh);
  free_chain(mem, before);
  return true;
}

void drop_remains(view const& mem, record& r) noexcept {
  id const before = get(r.notes);
  if (before == 0) return;
  put(r.notes, 0);
  free_chain(mem, before);
}

bool is_completed(view const& mem, record& r, instant at) noexcept {
  if (get(r.notes) == 0) return false;
  text_cursor words(mem, r.notes);
  auto const end = static_cast<instant>(read_fields(words)[until]);
  return end != 0 && at < end;
}

bool drop_idle_remains(visit& at) {
  auto const& mem = at.mem();
  id const first = mem.first_record(at.shard());
  bool dropped = false;
  for (id which = first; which < first + mem.used_records(at.shard()); ++which) {
    auto& r = mem.record_at(which);
    if (get(r.notes) == 0 || word{get(r.word)}.is_held() || is_completed(mem, r, at.time())) continue;
    drop_remains(mem, r);
    dropped = true;
  }
  return dropped;
}

void remember_end(visit& at, id which, word w, bool has_died, instant ended_at) {
  auto const& mem = at.mem();
  auto& r = mem.record_at(which);
  auto what = read_remains(mem, r);
  if (what.ended == w.seq()) return;  // whoever noted it crashed before the name was passed on
  bool const is_described = (get(r.stamp) & word::seq_mask) == w.seq();
  what.ended = w.seq();
  what.ended_token = is_described ? get(r.stamp) : 0;
  what.ended_at = static_cast<u64>(ended_at);
  what.began_at = is_described ? get(r.acquired_at) : 0;
  what.has_died = has_died;
  bool const has_slot = w.owner() < process_count;
  what.pid = has_slot ? get(mem.process(w.owner()).pid) : 0;
  what.uid = has_slot ? get(mem.process(w.owner()).uid) : 0;
  what.metadata = is_described ? metadata_of(mem, r) : std::string();
  what.last_note = what.noted_by == w.seq() ? what.note : std::string();
  what.note.clear();
  what.noted_by = 0;
  if (!what.is_completed(at.time())) {
    what.until = what.completed_by = 0;
    what.result.clear();
  }
  // Without room nothing is remembered: the name changes hands all the same.
  static_cast<void>(write_remains(mem, which, what));
}

}  // namespace leasehold::inline v0_1::local
