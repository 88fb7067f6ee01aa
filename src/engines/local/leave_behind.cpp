// Decides what a holder may leave behind with its name, and what it is told of the one before: all under the latch, and only while the
// name is still its own.
#include "engines/local/backend.hpp"
#include "engines/local/remains.hpp"

namespace leasehold::inline v0_1::local {

namespace {

failure no_room(session const& s) {
  return file_failure(errc::unavailable, s.file().path(), "has no room left for notes and results",
                      "let completions run out, or make a larger store: local:PATH?capacity=N");
}

bool write(visit& at, id which, remains const& what) {
  return write_remains(at.mem(), which, what) || (drop_idle_remains(at) && write_remains(at.mem(), which, what));
}

}  // namespace

/// INVARIANT: under the latch nobody takes the name over or evicts us, so what is ours now is ours until the latch is open.
result<void> local_claim::check_still_ours(visit& at) const {
  if (connection_->closed.load(std::memory_order_relaxed)) return failure(errc::cancelled);
  if (!is_held() || !mode_.is_exclusive() || !session().is_live()) return failure(errc::lost);
  if (auto begun = at.begin(); !begun) return begun;
  if (!word{get(mem().record_at(record_).word)}.is_grant(session().slot(), token_)) return failure(errc::lost);
  if (ttl_ > 0 && at.time() > static_cast<instant>(deadline_)) return failure(errc::lost);
  return {};
}

spi::task<result<void>> local_claim::put_note(std::string_view text) {
  visit at(session(), view::shard_of_hash(hash_));
  if (auto ours = check_still_ours(at); !ours) co_return ours;
  auto what = read_remains(mem(), mem().record_at(record_));
  what.noted_by = token_ & word::seq_mask;
  what.note = text;
  co_return write(at, record_, what) ? result<void>() : result<void>(no_room(session()));
}

spi::task<result<std::optional<previous_holder>>> local_claim::previous() {
  visit at(session(), view::shard_of_hash(hash_));
  if (auto ours = check_still_ours(at); !ours) co_return ours.get_failure();
  auto const what = read_remains(mem(), mem().record_at(record_));
  std::optional<previous_holder> before;
  if (what.ended != 0 && what.ended == before_) before = describe_end(what);
  co_return before;
}

spi::task<result<void>> local_claim::put_record(std::string_view value, duration window) {
  visit at(session(), view::shard_of_hash(hash_));
  if (auto ours = check_still_ours(at); !ours) co_return ours;
  auto what = read_remains(mem(), mem().record_at(record_));
  if (what.is_completed(at.time())) {
    if (what.completed_by == token_) co_return result<void>();
    co_return failure{errc::not_owner, diagnostics("another completion is recorded under this name already")};
  }
  what.completed_by = token_;
  what.until = static_cast<u64>(at.time() + window.count());
  what.result = value;
  co_return write(at, record_, what) ? result<void>() : result<void>(no_room(session()));
}

spi::task<result<std::optional<completion>>> local_backend::get_record(std::string_view name) {
  using answer = std::optional<completion>;
  u64 const hash = hash_name(name);
  if (auto const found = find_name(session().mem(), hash, name);
      found.which != 0 && get(session().mem().record_at(found.which).notes) == 0) {
    co_return answer();
  }
  if (auto entered = session().enter(); !entered) co_return entered.get_failure();
  visit at(session(), view::shard_of_hash(hash));
  if (auto begun = at.begin(); !begun) co_return begun.get_failure();
  auto const found = find_name(session().mem(), hash, name);
  if (found.which == 0) co_return answer();
  auto what = read_remains(session().mem(), session().mem().record_at(found.which));
  if (!what.is_completed(at.time())) co_return answer();
  completion out;
  out.result = std::move(what.result);
  out.token = what.completed_by;
  out.until = to_time_point(static_cast<instant>(what.until));
  co_return answer(std::move(out));
}

void local_backend::add_notes(std::span<std::pair<id, lock_info>> into) {
  auto const& mem = session().mem();
  for (auto& [which, info] : into) {
    auto& r = mem.record_at(which);
    if (get(r.notes) == 0 || info.holders.size() != 1 || !info.holders.front().token) continue;
    auto& holder = info.holders.front();
    if (!session().enter()) return;
    visit at(session(), mem.shard_of_record(which));
    if (!at.begin()) continue;
    auto what = read_remains(mem, r);
    if (what.noted_by == (*holder.token & word::seq_mask)) holder.note = std::move(what.note);
  }
}

}  // namespace leasehold::inline v0_1::local
