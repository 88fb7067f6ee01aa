#include "engines/local/backend.hpp"

#include "engines/local/local.hpp"
#include "engines/local/location.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::local {

namespace {

constexpr leasehold::traits local_traits(bool volatile_file) noexcept {
  leasehold::traits t;
  t.engine = "local";
  t.exclusion = exclusion::exact;
  t.exclusion_with_ttl = exclusion::timed;
  // The counter of a file in memory is lost with the machine; wall time carries it on.
  t.fencing = volatile_file ? fencing::conditional : fencing::always;
  t.waiting = waiting::fifo;
  t.shared = true;
  t.semaphore = true;
  t.survives_holder_crash_at_once = true;
  t.ttl_min = std::chrono::milliseconds(10);
  t.ttl_max = std::chrono::hours(24 * 366);
  t.metadata_bytes_max = metadata_bytes_max;
  t.note_bytes_max = note_bytes_max;
  t.result_bytes_max = result_bytes_max;
  t.summary =
      "one file shared by the processes of one machine; exclusion rests on the kernel, and on time only where a TTL is "
      "asked for";
  return t;
}

}  // namespace

local_backend::local_backend(std::shared_ptr<local::session> s, bool common, bool use_waitv)
    : traits_(local_traits(is_memory_file_system(s->file().fd()))), common_(common) {
  if (!use_waitv) s->do_without_waitv();
  connection_.session = std::move(s);
  connection_.use_waitv = use_waitv;
}

local_backend::~local_backend() { session().box().ignore(this); }

void local_backend::on_revocation(std::function<void()> tell) {
  session().box().ignore(this);
  if (tell) session().box().listen(this, std::move(tell));
}

spi::task<result<local_backend::adopted>> local_backend::adopt(spi::claim_spec const& spec, std::string_view ticket) {
  auto claim = local_claim::make(connection_, spec);
  auto grant = claim->adopt(ticket);
  if (!grant) co_return grant.get_failure();
  adopted taken;
  taken.claim = std::move(claim);
  taken.grant = *grant;
  co_return taken;
}

spi::task<void> local_backend::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  for (std::size_t i = 0; i < claims.size(); ++i) out[i] = *claims[i]->renew_now();
  co_return;
}

spi::task<result<void>> local_backend::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  co_return take_away(name, token, options.now);
}

result<void> local_backend::take_away(std::string_view name, u64 token, bool now) {
  if (auto entered = session().enter(); !entered) return entered;
  u64 const hash = hash_name(name);
  visit at(session(), view::shard_of_hash(hash));
  if (auto begun = at.begin(); !begun) return begun;
  auto const found = find_name(session().mem(), hash, name);
  if (found.which == 0) return failure(errc::not_owner);
  return at.evict(found.which, token, now);
}

spi::task<result<lock_info>> local_backend::inspect(std::string_view name) {
  auto const found = find_name(session().mem(), hash_name(name), name);
  auto seen = found.which != 0 ? look_at(session(), found.which, false) : std::nullopt;
  if (!seen || seen->name != name) {
    lock_info free;
    free.name = name;
    co_return free;
  }
  std::pair<id, lock_info> one(found.which, std::move(*seen));
  add_seats(session(), {&one, 1});
  add_notes({&one, 1});
  co_return std::move(one.second);
}

spi::task<result<std::vector<lock_info>>> local_backend::list(std::string_view prefix) {
  auto const& mem = session().mem();
  std::vector<std::pair<id, lock_info>> found;
  for (u32 shard = 0; shard < shard_count; ++shard) {
    id const first = mem.first_record(shard);
    for (id which = first; which < first + mem.used_records(shard); ++which) {
      auto seen = look_at(session(), which, true);
      if (seen && seen->name.starts_with(prefix)) found.emplace_back(which, std::move(*seen));
    }
  }
  add_seats(session(), found);
  add_notes(found);
  std::vector<lock_info> infos;
  for (auto& [which, info] : found) {
    if (info.state != lock_state::free || !info.holders.empty() || !info.waiters.empty())
      infos.push_back(std::move(info));
  }
  std::sort(infos.begin(), infos.end(), [](auto const& a, auto const& b) { return a.name < b.name; });
  co_return infos;
}

spi::task<std::vector<finding>> local_backend::diagnose() {
  co_return findings_of(session(), common_, connection_.use_waitv);
}

result<spi::opened> open_local(spi::url const& url, bool /*lazy*/) {
  auto const where = locate_store(url, current_surroundings());
  if (!where) return where.get_failure();
  auto const waitv = url.get("futex_waitv");
  if (waitv && *waitv != "0" && *waitv != "1") {
    return failure(errc::bad_option, diagnostics("futex_waitv=" + *waitv + " is neither 0 nor 1"));
  }
  auto session = session::open(*where);
  if (!session) return session.get_failure();
  spi::opened opened;
  opened.backend = std::make_shared<local_backend>(std::move(*session), where->common, waitv != "0");
  opened.url = "local:" + where->path;
  return opened;
}

result<void> initialize_local(spi::url const& url) {
  auto const where = locate_store(url, current_surroundings());
  if (!where) return where.get_failure();
  auto const session = session::open(*where);
  return session ? result<void>() : session.get_failure();
}

}  // namespace leasehold::inline v0_1::local
