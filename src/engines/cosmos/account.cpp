#include "engines/cosmos/account.hpp"

#include "engines/cosmos/json.hpp"
#include "engines/cosmos/names.hpp"
#include "engines/cosmos/sightings.hpp"

#include <algorithm>
#include <utility>

namespace leasehold::inline v0_1::cosmos {
namespace {

/// INVARIANT: no view of an account that may forget is older than this when something is granted. A fail-over and its way back
/// within this time would go unnoticed by a client that asked for nothing meanwhile; either takes the service minutes.
constexpr duration view_lasts = std::chrono::seconds(30);
constexpr duration safe_view_lasts = std::chrono::minutes(5);

std::vector<std::string> region_names(json const& in, char const* key) {
  std::vector<std::string> out;
  auto const* all = find(in, key);
  if (all == nullptr || !all->is_array()) return out;
  for (auto const& one : *all) out.push_back(text_in(one, "name").value_or("?"));
  return out;
}

struct guard_document {
  std::string region;
  bool clear = false;  ///< nothing was held when it was written
};

std::string guard_json(guard_document const& g) {
  json const out = {{"id", guard_id},     {"pk", guard_id},   {"format", format_version},
                    {"region", g.region}, {"clear", g.clear}, {"ttl", -1}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::optional<guard_document> read_guard(json const& in) {
  auto region = text_in(in, "region");
  auto const* clear = find(in, "clear");
  if (!region || clear == nullptr || !clear->is_boolean()) return std::nullopt;
  return guard_document{std::move(*region), *clear->get_ptr<json::boolean_t const*>()};
}

}  // namespace

std::optional<account_facts> read_account(std::string_view text) {
  auto const in = parse_json(text);
  account_facts out;
  out.write_regions = region_names(in, "writableLocations");
  out.read_regions = region_names(in, "readableLocations");
  if (out.write_regions.empty()) return std::nullopt;
  auto const& first = (*find(in, "writableLocations"))[0];
  out.write_endpoint = text_in(first, "databaseAccountEndpoint").value_or("");
  while (out.write_endpoint.ends_with('/')) out.write_endpoint.pop_back();
  auto const* several = find(in, "enableMultipleWriteLocations");
  out.several_write_regions = out.write_regions.size() > 1 || (several != nullptr && several->is_boolean() &&
                                                               *several->get_ptr<json::boolean_t const*>());
  if (auto const* policy = find(in, "userConsistencyPolicy"))
    out.consistency = text_in(*policy, "defaultConsistencyLevel").value_or("");
  return out;
}

result<void> check_account(account_facts const& of, settings const& where) {
  if (!of.several_write_regions) return {};
  return failure{
      make_error_code(errc::misconfigured),
      diagnostics(where.shown + ": the account writes in several regions, so two clients can take one lock at once",
                  "use an account with one write region")};
}

result<void> check_container(std::string_view text, settings const& where) {
  auto const in = parse_json(text);
  auto const* key = find(in, "partitionKey");
  auto const* paths = key != nullptr ? find(*key, "paths") : nullptr;
  bool const is_ours = paths != nullptr && paths->is_array() && paths->size() == 1 && (*paths)[0].is_string() &&
                       ((*paths)[0] == "/pk" || (*paths)[0] == "/id");
  if (is_ours) return {};
  return failure{make_error_code(errc::misconfigured),
                 diagnostics(where.shown + ": the container's partition key is not /pk or /id",
                             "use a container of its own: leasehold init URL creates one")};
}

bool account::may_forget() const {
  std::lock_guard const hold(guard_);
  return !is_known_ || facts_.may_forget();
}

account_facts account::facts() const {
  std::lock_guard const hold(guard_);
  return facts_;
}

spi::task<result<void>> account::look(time_point until) {
  auto& drive = co_await spi::this_driver();
  bool const moved = of_.has_moved();
  {
    std::lock_guard const hold(guard_);
    auto const lasts = facts_.may_forget() ? view_lasts : safe_view_lasts;
    if (is_known_ && !moved && drive.now() - looked_at_ < lasts) co_return result<void>();
  }
  auto const asked_at = drive.now();
  auto const said = co_await of_.account(until);
  if (!said) co_return said.get_failure();
  auto const facts = read_account(said->body);
  if (!facts) {
    co_return failure{make_error_code(errc::misconfigured),
                      diagnostics(of_.where().shown + ": what answers there is no Cosmos DB account",
                                  "see the account's URI in the portal")};
  }
  if (auto const ok = check_account(*facts, of_.where()); !ok) co_return ok.get_failure();
  bool const guarded = facts->may_forget();
  of_.move_to(guarded && !facts->write_endpoint.empty() ? facts->write_endpoint : of_.where().endpoint());
  if (guarded) {
    auto const ok = co_await look_at_guard(facts->write_regions.front(), false, until);
    if (!ok) co_return ok.get_failure();
  }
  std::lock_guard const hold(guard_);
  facts_ = *facts;
  is_known_ = true;
  looked_at_ = asked_at;
  of_.set_moved(false);
  co_return result<void>();
}

/// Compares the region of the moment with the one that the guard names, and says so there.
spi::task<result<void>> account::look_at_guard(std::string region, bool clears, time_point until) {
  auto& drive = co_await spi::this_driver();
  std::string const id(guard_id);
  auto const& where = of_.where();
  for (int tries = 0; tries < 4; ++tries) {
    auto const got = co_await of_.read(id, until);
    if (!got) co_return got.get_failure();
    bool const there = meaning_of(*got) == meaning::done;
    auto const in = parse_json(got->body);
    auto const known = there ? read_guard(in) : std::nullopt;
    if (known && known->region == region && !clears) {
      auto const written = static_cast<std::int64_t>(number_in(in, "_ts").value_or(0));
      auto const whole = known->clear ? duration{} : with_margin(where.max_ttl) + server_margin;
      auto const age = std::chrono::seconds(std::max<std::int64_t>(got->date - written, 0));
      std::lock_guard const hold(guard_);
      if (age < whole && written != 0) probation_until_ = std::max(probation_until_, drive.now() + (whole - age));
      co_return result<void>();
    }
    guard_document const next{region, clears};
    auto body = guard_json(next);
    auto etag = got->etag;
    auto written =
        there ? of_.replace(id, std::move(body), std::move(etag), until) : of_.create(id, std::move(body), until);
    auto const said = co_await std::move(written);
    if (!said) co_return said.get_failure();
    if (meaning_of(*said) != meaning::done) continue;
    std::lock_guard const hold(guard_);
    probation_until_ = clears ? time_point{} : drive.now() + with_margin(where.max_ttl);
    co_return result<void>();
  }
  co_return failure{make_error_code(errc::unavailable),
                    diagnostics(where.shown + ": the guard is being written by many", "ask again")};
}

spi::task<result<void>> account::may_grant(time_point until) {
  auto& drive = co_await spi::this_driver();
  auto const seen = co_await look(until);
  if (!seen) co_return seen.get_failure();
  std::lock_guard const hold(guard_);
  auto const left = probation_until_ - drive.now();
  if (left <= duration::zero()) co_return result<void>();
  auto why =
      diagnostics(of_.where().shown + ": the write region is a new one, which may not know what the old one granted",
                  "it waits for the longest TTL; if nothing is held, leasehold init URL says so");
  co_return failure{make_error_code(errc::probation), why.with_retry_after(left)};
}

spi::task<result<void>> account::follow(time_point until) {
  if (!of_.has_moved()) co_return result<void>();
  co_return co_await look(until);
}

spi::task<result<void>> account::clear(time_point until) {
  auto const seen = co_await look(until);
  if (!seen) co_return seen.get_failure();
  auto const known = facts();
  if (!known.may_forget()) co_return result<void>();
  co_return co_await look_at_guard(known.write_regions.front(), true, until);
}

}  // namespace leasehold::inline v0_1::cosmos
