// Decides what a health check asks of an account and its container, and what it says about the answers.
#include "engines/cosmos/backend.hpp"
#include "engines/cosmos/claim.hpp"
#include "engines/cosmos/json.hpp"
#include "engines/cosmos/names.hpp"
#include "engines/cosmos/wall_clock.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>

namespace leasehold::inline v0_1::cosmos {
namespace {

using level = finding::level;

finding pass(std::string id, std::string text) { return {level::pass, std::move(id), std::move(text), {}}; }
finding warn(std::string id, std::string text, std::string remedy) {
  return {level::warn, std::move(id), std::move(text), std::move(remedy)};
}
finding fail(std::string id, std::string text, std::string remedy) {
  return {level::fail, std::move(id), std::move(text), std::move(remedy)};
}
finding fail(std::string id, failure const& why) {
  auto text = std::string(why.details.message());
  return fail(std::move(id), text.empty() ? why.code.message() : std::move(text), std::string(why.details.hint()));
}

/// One decimal.
std::string decimal(double value) {
  auto const tenths = static_cast<std::int64_t>(std::llround(value * 10));
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10);
}
std::string ms_text(duration d) { return decimal(std::chrono::duration<double, std::milli>(d).count()) + " ms"; }

finding consistency(account_facts const& of) {
  if (of.read_regions.size() <= 1)
    return pass("cosmos/regions", "one region, " + of.write_regions.front() + ": there is nothing to fail over to");
  if (!of.may_forget()) return pass("cosmos/regions", "Strong over several regions: a fail-over loses nothing");
  return warn("cosmos/regions",
              of.consistency + " over several regions, written in " + of.write_regions.front() +
                  ": a forced fail-over may lose grants, so nothing is granted for the longest TTL after one",
              "Strong consistency, or one region, has no such pause");
}

finding expiry_of_documents(json const& container) {
  auto const* ttl = find(container, "defaultTtl");
  if (ttl == nullptr || !ttl->is_number_integer())
    return pass("cosmos/reaping", "the container deletes nothing by itself");
  return pass("cosmos/reaping",
              "the container's documents expire by default; locks say of themselves that they do not");
}

finding latency(std::vector<duration> trips, duration ttl) {
  std::ranges::sort(trips);
  auto const worst = trips.back();
  auto text = "reads take " + ms_text(trips[trips.size() / 2]) + ", at worst " + ms_text(worst);
  constexpr int renewals = 12;  // of a TTL, one may fail and be repeated
  if (worst * renewals > ttl) return warn("cosmos/latency", std::move(text), "take longer TTLs, or a nearer region");
  return pass("cosmos/latency", std::move(text));
}

finding clock_of(std::int64_t server, std::int64_t ours) {
  auto const off = std::llabs(server - ours);
  if (off <= 60)
    return pass("cosmos/clock", "the service's clock and ours agree within a minute; no lock depends on it");
  return warn(
      "cosmos/clock",
      "this machine's clock is " + std::to_string(off) + " s off the service's; requests are dated by the service's",
      "set the clock: other clients of the account will be refused");
}

}  // namespace

/// A lock of the health check's own, taken, renewed and given back: what each costs.
spi::task<std::vector<finding>> backend::try_out(std::vector<finding> so_far) {
  spi::claim_spec spec{};
  spec.name = "leasehold-doctor";
  spec.ttl = traits_.ttl_default;
  spec.reason = "health check";
  cosmos_claim own(*this, spec);
  auto const charged = [this] { return documents_.net().charged(); };
  auto const before = charged();
  auto const asked = co_await own.attempt_once();
  auto const after_attempt = charged();
  if (!asked && asked.error() == errc::probation) {
    so_far.push_back(warn("cosmos/grant", std::string(asked.get_failure().details.message()),
                          std::string(asked.get_failure().details.hint())));
    co_return so_far;
  }
  if (!asked) {
    so_far.push_back(fail("cosmos/grant", asked.get_failure()));
    static_cast<void>(co_await own.withdraw(duration{}));
    co_return so_far;
  }
  if (std::holds_alternative<spi::busy>(*asked)) {
    so_far.push_back(pass("cosmos/grant", "another health check is under way"));
    co_return so_far;
  }
  auto const renewed_one = co_await own.renew();
  auto const after_renewal = charged();
  auto const left = co_await own.withdraw(duration{});
  auto const after_all = charged();
  if (!renewed_one) so_far.push_back(fail("cosmos/grant", renewed_one.get_failure()));
  if (!left) so_far.push_back(fail("cosmos/grant", left.get_failure()));
  if (renewed_one && left) {
    so_far.push_back(pass("cosmos/ru", "request units: acquire (with a read) " + decimal(after_attempt - before) +
                                           ", renew " + decimal(after_renewal - after_attempt) + ", release " +
                                           decimal(after_all - after_renewal)));
  }
  co_return so_far;
}

spi::task<std::vector<finding>> backend::diagnose() {
  auto& drive = co_await spi::this_driver();
  std::vector<finding> out;
  auto const until = drive.now() + op_timeout_most;
  auto const seen = co_await account_.look(until);
  if (!seen) {
    out.push_back(fail("cosmos/account", seen.get_failure()));
    co_return out;
  }
  out.push_back(pass("cosmos/account", "reached and let in"));
  out.push_back(consistency(account_.facts()));
  auto const described = co_await documents_.describe(until);
  auto const there = described && meaning_of(*described) == meaning::done;
  auto const fits = there ? check_container(described->body, settings_) : result<void>();
  if (!there || !fits) {
    auto const why = !described ? described.get_failure()
                     : !there   ? failure_of(*described, false, settings_)
                                : fits.get_failure();
    out.push_back(fail("cosmos/container", why));
    co_return out;
  }
  out.push_back(pass("cosmos/container", "there, with a partition key that fits"));
  out.push_back(expiry_of_documents(parse_json(described->body)));
  out.push_back(clock_of(described->date, wall_clock_seconds()));
  std::vector<duration> trips;
  constexpr int reads = 20;
  for (int i = 0; i < reads; ++i) {
    auto const from = drive.now();
    auto const got = co_await documents_.read(std::string(doctor_id), from + op_timeout_most);
    if (!got) {
      out.push_back(fail("cosmos/latency", got.get_failure()));
      co_return out;
    }
    trips.push_back(drive.now() - from);
  }
  out.push_back(latency(std::move(trips), *traits_.ttl_default));
  if (!settings_.tls || !settings_.verify) {
    out.push_back(warn("cosmos/tls",
                       settings_.tls ? "anybody's certificate is trusted (insecure=1)" : "without TLS (plain=1)",
                       "for emulators only"));
  }
  co_return co_await try_out(std::move(out));
}

}  // namespace leasehold::inline v0_1::cosmos
