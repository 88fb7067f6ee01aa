#include "engines/cosmos/backend.hpp"

#include "engines/cosmos/claim.hpp"
#include "engines/cosmos/crowd.hpp"
#include "engines/cosmos/names.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::cosmos {
namespace {

leasehold::traits traits_of(settings const& of) {
  leasehold::traits out;
  out.engine = "cosmos";
  out.exclusion = out.exclusion_with_ttl = exclusion::timed;
  out.fencing = fencing::conditional;
  out.waiting = waiting::polling;
  out.shared = out.semaphore = true;
  out.ttl_default = std::min<duration>(std::chrono::seconds(15), of.max_ttl);
  out.ttl_min = std::chrono::milliseconds(500);
  out.ttl_max = of.max_ttl;
  out.metadata_bytes_max = 4096;
  out.summary =
      "One Cosmos DB container with one write region: exclusive while clocks keep pace; tokens are counted in the "
      "document, so they grow "
      "unless it is deleted or a fail-over loses it, and then if the service's clock does not go back.";
  return out;
}

}  // namespace

backend::backend(settings of)
    : settings_(std::move(of)), traits_(traits_of(settings_)), documents_(settings_), account_(documents_) {}

std::unique_ptr<spi::claim> backend::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<cosmos_claim>(*this, spec);
}

spi::task<result<spi::backend::adopted>> backend::adopt(spi::claim_spec const& spec, std::string_view ticket) {
  auto taken = std::make_unique<cosmos_claim>(*this, spec);
  auto const grant = co_await taken->take_over(std::string(ticket));
  if (!grant) co_return grant.get_failure();
  adopted out{std::move(taken), *grant};
  co_return std::move(out);
}

spi::task<result<found>> backend::look(std::string name, time_point until) {
  auto& drive = co_await spi::this_driver();
  auto said = co_await documents_.read(id_of(name), until);
  if (!said) co_return said.get_failure();
  found out;
  out.foreign = settings_.article && meaning_of(*said) == meaning::done && is_foreign(said->body);
  if (meaning_of(*said) == meaning::done && !out.foreign) {
    auto d = read_document(said->body);
    if (!d) co_return d.get_failure();
    if (d->name != name) {
      co_return failure{make_error_code(errc::mode_mismatch),
                        diagnostics("the lock's document bears another name: somebody has edited it")};
    }
    if (!said->etag.empty()) d->etag = said->etag;
    seen_.see(*d, drive.now());
    out.what = std::move(*d);
  }
  out.said = std::move(*said);
  co_return out;
}

spi::task<result<void>> backend::probe() {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  auto const seen = co_await account_.look(until);
  if (!seen) co_return seen.get_failure();
  auto const described = co_await documents_.describe(until);
  if (!described) co_return described.get_failure();
  if (meaning_of(*described) != meaning::done) co_return failure_of(*described, false, settings_);
  if (auto const ok = check_container(described->body, settings_); !ok) co_return ok.get_failure();
  if (!account_.may_forget()) traits_.fencing = fencing::always;
  co_return result<void>();
}

spi::task<result<void>> backend::initialize() {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + 2 * op_timeout_most;
  auto const seen = co_await documents_.describe(until);
  if (!seen) co_return seen.get_failure();
  if (meaning_of(*seen) == meaning::missing) {
    auto const database = co_await documents_.make_database(until);
    if (!database) co_return database.get_failure();
    auto const made = co_await documents_.make_container(until);
    if (!made) co_return made.get_failure();
    if (meaning_of(*made) == meaning::missing) co_return failure_of(*made, true, settings_);
  }
  auto const ok = co_await probe();
  if (!ok) co_return ok.get_failure();
  co_return co_await account_.clear(until);
}

holder_info foreign_holder() {
  holder_info who;
  who.identity = "(another client)";
  who.foreign = true;
  return who;
}

lock_info backend::info(document const& d, time_point now) const {
  return info_of(d, documents_.net().server_ms(now) / 1000, now, judge(d, now));
}

spi::task<result<lock_info>> backend::inspect(std::string_view name) {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  auto const now = co_await look(std::string(name), until);
  if (!now) co_return now.get_failure();
  if (now->what) co_return info(*now->what, drive.now());
  lock_info out;
  out.name = name;
  if (now->foreign) {
    out.state = lock_state::held;
    out.holders.push_back(foreign_holder());
  }
  co_return out;
}

spi::task<result<std::vector<lock_info>>> backend::list(std::string_view prefix) {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  std::vector<lock_info> out;
  std::string continuation;
  do {
    auto const page = co_await documents_.page(prefix, continuation, until);
    if (!page) co_return page.get_failure();
    for (auto const& d : read_page(page->body)) {
      if (!d.name.starts_with(prefix)) continue;
      seen_.see(d, drive.now());
      auto one = info(d, drive.now());
      if (one.state != lock_state::free) out.push_back(std::move(one));
    }
    continuation = page->continuation;
  } while (!continuation.empty());
  std::ranges::sort(out, {}, &lock_info::name);
  co_return out;
}

spi::task<result<void>> backend::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  for (int round = 0; round < rounds_max; ++round) {
    auto const now = co_await look(std::string(name), until);
    if (!now) co_return now.get_failure();
    auto const holder = [&](entry const& e) { return !e.off && e.token == token; };
    auto const at = now->what ? std::ranges::find_if(now->what->entries, holder) : std::vector<entry>::const_iterator();
    if (!now->what || at == now->what->entries.end()) break;
    auto const next = without(*now->what, at->owner, options.now ? duration{} : at->ttl + at->delay);
    auto const said = co_await documents_.replace(id_of(name), write_document(next), next.etag, until);
    if (!said) co_return said.get_failure();
    if (meaning_of(*said) == meaning::done) co_return result<void>();
  }
  co_return failure{make_error_code(errc::not_owner), diagnostics("nobody holds that name with that token")};
}

spi::task<void> backend::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  crowd many(co_await spi::this_driver());
  co_await many.renew(claims, out);
}

}  // namespace leasehold::inline v0_1::cosmos
