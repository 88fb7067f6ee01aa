#include "engines/redis/health.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/greeting.hpp"

#include <algorithm>
#include <cstdlib>

namespace leasehold::inline v0_1::redis {
namespace {

using level = finding::level;

finding pass(std::string id, std::string text) { return {level::pass, std::move(id), std::move(text), {}}; }
finding warn(std::string id, std::string text, std::string remedy) {
  return {level::warn, std::move(id), std::move(text), std::move(remedy)};
}
finding fail(std::string id, std::string text, std::string remedy) {
  return {level::fail, std::move(id), std::move(text), std::move(remedy)};
}

/// The value of `field` in a flat list of pairs.
std::string field_of(reply const& pairs, std::string_view field) {
  for (std::size_t i = 0; i + 1 < pairs.items.size(); i += 2) {
    if (pairs.items[i].text == field) return pairs.items[i + 1].text;
  }
  return {};
}

std::string ms_text_of(duration d) {
  auto const us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  return std::to_string(us / 1000) + "." + std::to_string(us / 100 % 10) + " ms";
}

std::string seconds_text(duration d) {
  return std::to_string(std::chrono::ceil<std::chrono::seconds>(d).count()) + " s";
}

finding server(health_facts const& f, settings const& where) {
  auto const& info = f.info.text;
  if (auto ok = check_server(info, where); !ok) {
    auto const& why = ok.get_failure().details;
    return fail("redis/server", std::string(why.message()), std::string(why.hint()));
  }
  auto const valkey = info_value(info, "valkey_version");
  auto const redis = std::string(info_value(info, "redis_version"));
  auto const version = valkey.empty() ? "Redis " + redis : "Valkey " + std::string(valkey);
  constexpr int oldest = 5;  // before it, a script that has asked for the time must not write
  if (std::atoi(redis.c_str()) < oldest)
    return fail("redis/server", version + " is too old", "use Redis 5 or later, or Valkey");
  return pass("redis/server", version + ", up " + std::string(info_value(info, "uptime_in_seconds")) + " s");
}

finding eviction(health_facts const& f) {
  auto const limit = info_value(f.info.text, "maxmemory");
  auto const policy = std::string(info_value(f.info.text, "maxmemory_policy"));
  if (limit.empty() || limit == "0") return pass("redis/eviction", "no memory limit, so nothing is evicted");
  if (policy == "noeviction") return pass("redis/eviction", "noeviction: a full server refuses, and forgets no lock");
  return fail("redis/eviction", "maxmemory-policy " + policy + ": a held lock may be evicted",
              "CONFIG SET maxmemory-policy noeviction, or use a server of its own for locks");
}

finding persistence(health_facts const& f, settings const& where) {
  auto const price =
      where.guarded ? "; nothing new is granted for " + seconds_text(where.max_ttl) + " after each" : std::string();
  for (auto const* state : {"aof_last_write_status", "rdb_last_bgsave_status"}) {
    if (info_value(f.info.text, state) != "err") continue;
    return warn("redis/persistence",
                "the server could not write to its disk, and may refuse locks (" + std::string(state) + ")",
                "make room there, or see to its folder; its log says what failed");
  }
  if (info_value(f.info.text, "aof_enabled") == "1") {
    return pass("redis/persistence", "append-only file: a restart loses at most the last writes" + price);
  }
  return warn("redis/persistence", "no append-only file: a restart forgets locks" + price,
              "appendonly yes, appendfsync everysec or always");
}

finding replicas(health_facts const& f) {
  auto const count = info_value(f.info.text, "connected_slaves");
  if (count.empty() || count == "0") return pass("redis/replicas", "none: nothing can be promoted without the locks");
  return warn("redis/replicas", std::string(count) + " attached: one that is promoted may lack the last grants",
              "promote only after the old master is surely dead; the guard waits out the rest");
}

finding rights(health_facts const& f, settings const& where) {
  for (auto const* r : {&f.info, &f.guard, &f.script, &f.publish}) {
    if (!r->is_error()) continue;
    auto const why = failure_of(*r, where).details;
    return fail("redis/rights", std::string(why.message()) + ": " + r->text, std::string(why.hint()));
  }
  return pass("redis/rights", "the user may do all that locks need");
}

finding calls(health_facts const& f) {
  if (f.subscribed) return pass("redis/calls", "whoever waits is called: there is a connection for that");
  return warn("redis/calls", "no second connection to wait on: whoever waits looks once a second instead",
              "allow the user SUBSCRIBE and the channels &lh:*, and the server more clients (maxclients)");
}

finding guard(health_facts const& f, settings const& where) {
  if (!where.guarded) {
    return warn("redis/guard", "switched off (safety=best): a server that forgets grants twice",
                "leave safety=best out");
  }
  auto const run = field_of(f.guard, "run");
  auto const init = "if nothing is held: leasehold init " + where.url +
                    "; else the first who asks makes everybody wait " + seconds_text(where.max_ttl) + " once";
  if (run.empty()) return warn("redis/guard", "the server is fresh, or has forgotten everything", init);
  if (run != info_value(f.info.text, "run_id")) {
    return warn("redis/guard", "the server restarted or was replaced since it was last asked", init);
  }
  auto const max = std::chrono::milliseconds(std::atoll(field_of(f.guard, "max").c_str()));
  if (!field_of(f.guard, "prob").empty()) {
    auto const since = std::atoll(field_of(f.guard, "since").c_str());
    auto const left = max.count() * 101 / 100 + 50 - (f.server_ms - since);
    if (left > 0) {
      return warn("redis/guard", "on probation for another " + seconds_text(std::chrono::milliseconds(left)),
                  "wait, or, if you know that nothing is held: leasehold init " + where.url);
    }
  }
  return pass("redis/guard", "the arbiter is the one that granted; longest TTL " + seconds_text(max));
}

finding round_trip(health_facts const& f) {
  if (f.round_trips.empty()) return fail("redis/round_trip", "no answer", "is the server overloaded?");
  auto sorted = f.round_trips;
  std::ranges::sort(sorted);
  auto const p50 = sorted[sorted.size() / 2];
  auto const p99 = sorted[(sorted.size() * 99 - 1) / 100];
  auto const text = "p50 " + ms_text_of(p50) + ", p99 " + ms_text_of(p99) + " of " + std::to_string(sorted.size());
  constexpr duration well_below = std::chrono::milliseconds(250);  // a request of the default TTL may take 3.75 s
  if (p99 < well_below) return pass("redis/round_trip", text + ": good for TTLs from " + ms_text_of(16 * p99));
  return warn("redis/round_trip", text, "use TTLs of at least " + seconds_text(16 * p99) + ", or a nearer server");
}

finding clock_offset(health_facts const& f, settings const& where) {
  if (!f.clock_offset) return warn("redis/clock", "the server does not tell its time", "allow TIME");
  auto const text = "the server's clock is " + std::to_string(std::abs(f.clock_offset->count())) + " ms " +
                    (f.clock_offset->count() < 0 ? "behind" : "ahead of") + " this machine's";
  if (std::chrono::abs(*f.clock_offset) < where.max_ttl)
    return pass("redis/clock", text + "; leases do not depend on it");
  return warn("redis/clock", text + ": tokens may go back if a server with a better clock takes over",
              "keep it by NTP");
}

finding transport(settings const& where) {
  if (!where.socket.empty()) return pass("redis/transport", "a Unix socket: nothing leaves the machine");
  if (where.tls.on && where.tls.verify) return pass("redis/transport", "TLS; the server's certificate is checked");
  if (where.tls.on)
    return warn("redis/transport", "TLS without a check of the certificate (insecure=1)", "give ca=FILE");
  bool const here = where.host == "localhost" || where.host == "::1" || where.host.starts_with("127.");
  if (here) return pass("redis/transport", "plain, to this machine");
  return warn("redis/transport", "plain text over the network, password included", "use rediss:");
}

}  // namespace

std::vector<finding> findings_of(health_facts const& facts, settings const& where) {
  return {server(facts, where),       eviction(facts), persistence(facts, where), replicas(facts),
          rights(facts, where),       calls(facts),    guard(facts, where),       round_trip(facts),
          clock_offset(facts, where), transport(where)};
}

}  // namespace leasehold::inline v0_1::redis
