#include "engines/redis/answers.hpp"

#include "engines/redis/names.hpp"
#include "engines/redis/scripts.hpp"
#include "engines/redis/view.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace leasehold::inline v0_1::redis {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds claim_time{100};
constexpr milliseconds foreign_poll{100};
constexpr milliseconds behind_least{50};

std::string seconds_text(std::int64_t ms) { return std::to_string((ms + 999) / 1000) + " s"; }

failure probation(reply const& r, settings const& where) {
  auto const left = std::max<std::int64_t>(r.at(1).as_number().value_or(0), 1);
  auto const since = r.at(2).as_number().value_or(0);
  bool const fresh = r.at(3).text == "fresh";
  auto const what =
      fresh ? " is fresh, or has forgotten its locks (first asked " : " restarted or was replaced (noticed ";
  diagnostics why(where.shown + what + seconds_text(since) + " ago): nothing new is granted for another " +
                      seconds_text(left) + ", because leases granted before may still be in use",
                  "wait, or, if you know that nothing is held: leasehold init " + where.url);
  return {make_error_code(errc::probation), why.with_retry_after(milliseconds(left))};
}

failure ttl_beyond(reply const& r, settings const& where) {
  auto const most = seconds_text(r.at(1).as_number().value_or(0));
  return {make_error_code(errc::bad_option),
          diagnostics("the ttl exceeds what " + where.shown + " was initialized for: " + most,
                      "ask for less, or raise it: leasehold init with ?max_ttl= in the URL")};
}

failure newer_format(reply const& r, settings const& where) {
  return {make_error_code(errc::misconfigured),
          diagnostics(where.shown + " holds locks of another leasehold format (" + r.at(1).text + ", this is " +
                          std::string(format_version) + ")",
                      "use the same leasehold version everywhere")};
}

failure mismatch() {
  return {make_error_code(errc::mode_mismatch),
          diagnostics("the name is in use as another kind of lock", "a semaphore shares its name with nothing")};
}

result<spi::answer> granted(reply const& r, duration ttl, settings const& where) {
  auto const token = r.at(1).as_number();
  if (!token) return unexpected(where);
  return spi::answer{spi::granted{ttl, static_cast<std::uint64_t>(*token)}};
}

spi::answer refused(reply const& r, time_point now) {
  auto const left = r.at(1).as_number().value_or(-2);
  auto const ahead = r.at(2).as_number().value_or(0);
  auto const& value = r.at(3).text;
  bool const together = value.starts_with(shared_prefix);
  bool const ours = together || value.empty() || value == held_off_value || is_described(r.at(4).text, value);
  spi::busy no;
  no.retry_after = look_again(left, ahead, !ours);
  no.ahead = static_cast<std::uint32_t>(std::max<std::int64_t>(ahead, 0));
  if (!ours) {
    no.holder = std::make_shared<holder_info const>(foreign_holder(left, now));
  } else if (!r.at(4).text.empty() && value != held_off_value && !value.empty()) {
    no.holder = std::make_shared<holder_info const>(holder_of(r.at(4).text, left, 0, now));
  }
  return no;
}

struct refusal {
  std::string_view code;
  errc what;
  std::string_view text;
  std::string_view remedy;
};

/// INVARIANT: every one of these means "not done".
constexpr std::array<refusal, 20> refusals{{
    {"WRONGTYPE", errc::mode_mismatch, "the key is used for something else; nothing was changed",
     "choose another name, or a namespace for locks"},
    {"OOM", errc::unavailable, "the server has no memory left", "raise its maxmemory, or free some"},
    {"LOADING", errc::unavailable, "the server is still loading its data", "wait"},
    {"BUSY", errc::unavailable, "the server is busy with somebody's script", "wait, or SCRIPT KILL that script"},
    {"READONLY", errc::unavailable, "the server has become a replica", "name the master in the URL"},
    {"MASTERDOWN", errc::unavailable, "the server is a replica without its master", "name the master in the URL"},
    {"NOREPLICAS", errc::unavailable, "the server lacks the replicas it insists on", "bring them back"},
    {"CLUSTERDOWN", errc::unavailable, "the cluster is down", "wait, or repair it"},
    {"TRYAGAIN", errc::unavailable, "the slot is being moved", "wait"},
    {"MOVED", errc::misconfigured, "the server belongs to a Redis Cluster", "name a single server"},
    {"ASK", errc::misconfigured, "the server belongs to a Redis Cluster", "name a single server"},
    {"CROSSSLOT", errc::misconfigured, "the server belongs to a Redis Cluster", "name a single server"},
    {"MISCONF", errc::misconfigured, "the server cannot save to disk and refuses writes",
     "make room there, or set stop-writes-on-bgsave-error no"},
    {"NOAUTH", errc::auth, "the server asks for a password", "give one: redis://:password@host"},
    {"WRONGPASS", errc::auth, "the server refused user or password", "check both"},
    {"NOPERM", errc::auth, "the user may not do that",
     "it needs ~* on the names and lh:* keys, &lh:*, and +@read +@write +@scripting +@pubsub +info +time +select "
     "+client"},
    {"DENIED", errc::auth, "the server is in protected mode", "set a password, or protected-mode no"},
    {"EXECABORT", errc::unavailable, "the server aborted the request", "try again"},
    {"UNBLOCKED", errc::unavailable, "the server changed its role", "try again"},
    {"NOPROTO", errc::misconfigured, "the server does not speak RESP2", "use Redis 5 or later, or Valkey"},
}};

}  // namespace

duration look_again(std::int64_t obstacle_ms, std::int64_t ahead, bool foreign) noexcept {
  constexpr milliseconds most = std::chrono::seconds(1);
  if (obstacle_ms == -2) return claim_time;
  auto const obstacle = obstacle_ms < 0 ? most : std::clamp(milliseconds(obstacle_ms), milliseconds(1), most);
  // Those behind the head do not all come at the moment of expiry. Foreign clients call nobody when they release.
  if (ahead > 0) return std::max(obstacle, behind_least);
  return foreign ? std::min(obstacle, foreign_poll) : obstacle;
}

duration place_lifetime(duration ttl) noexcept {
  return std::clamp<duration>(ttl, std::chrono::seconds(2), std::chrono::seconds(5));
}

result<spi::answer> answer_of(reply const& r, duration ttl, time_point now, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  auto const& what = r.at(0).text;
  if (what == "G") return granted(r, ttl, where);
  if (what == "B") return refused(r, now);
  if (what == "M") return mismatch();
  if (what == "P") return probation(r, where);
  if (what == "T") return ttl_beyond(r, where);
  if (what == "V") return newer_format(r, where);
  return unexpected(where);
}

failure failure_of(reply const& error, settings const& where) {
  auto const code = error.error_code();
  auto const found = std::ranges::find(refusals, code, &refusal::code);
  auto const says = [&](std::string_view text) { return where.shown + ": " + std::string(text); };
  if (found != refusals.end()) {
    return {make_error_code(found->what), diagnostics(says(found->text), std::string(found->remedy), error.text)};
  }
  if (error.text.find("unknown command") != std::string::npos) {
    return {make_error_code(errc::misconfigured),
            diagnostics(says("the server lacks a command that locks need"),
                        "use Redis 5 or later, or Valkey, with scripting", error.text)};
  }
  if (error.text.find("AUTH") != std::string::npos || error.text.find("invalid password") != std::string::npos) {
    return {make_error_code(errc::auth), diagnostics(says("the server refused user or password"),
                                                     "leave the password out if the server has none", error.text)};
  }
  if (error.text.find("DB index") != std::string::npos) {
    return {make_error_code(errc::bad_option), diagnostics(says("there is no database of that number"),
                                                           "see `databases` in its configuration", error.text)};
  }
  return {make_error_code(errc::unavailable), diagnostics(says("the server failed the request"), {}, error.text)};
}

failure unexpected(settings const& where) {
  return {make_error_code(errc::outcome_unknown),
          diagnostics(where.shown + " answered what no redis answers", "is there something between, such as a proxy?")};
}

failure reserved_name() {
  return {make_error_code(errc::bad_name), diagnostics("a name on redis must not begin with lh:",
                                                       "those keys are leasehold's own; choose another name")};
}

}  // namespace leasehold::inline v0_1::redis
