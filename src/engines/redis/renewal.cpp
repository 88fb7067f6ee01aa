#include "engines/redis/answers.hpp"
#include "engines/redis/backend.hpp"
#include "engines/redis/claim.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::redis {
namespace {

/// Claims whose renewal is one request.
struct bundle {
  std::vector<std::size_t> members;
  bool alone = true;
};

std::vector<bundle> bundles_of(std::span<spi::claim* const> claims) {
  constexpr std::size_t most = 200;
  std::vector<bundle> out;
  std::vector<bundle> singles;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    bool const alone = static_cast<redis_claim const&>(*claims[i]).is_alone();
    if (!alone) {
      singles.push_back({{i}, false});
      continue;
    }
    if (out.empty() || out.back().members.size() == most) out.emplace_back();
    out.back().members.push_back(i);
  }
  out.insert(out.end(), singles.begin(), singles.end());
  return out;
}

std::string renewal_command(bundle const& of, std::span<spi::claim* const> claims, bool with_text) {
  auto const& how = of.alone ? renew_script() : renew_shared_script();
  std::vector<std::string> owned;
  std::vector<std::string_view> words{with_text ? "EVAL" : "EVALSHA", with_text ? how.text : how.sha};
  auto const& first = static_cast<redis_claim const&>(*claims[of.members.front()]);
  name_keys const keys(first.name());
  auto const count = std::to_string(of.alone ? of.members.size() : script_keys(keys).size());
  words.push_back(count);
  if (!of.alone) {
    for (auto const key : script_keys(keys)) words.push_back(key);
  }
  owned.reserve(2 * of.members.size());
  if (of.alone) {
    for (auto const i : of.members) words.push_back(static_cast<redis_claim const&>(*claims[i]).name());
  }
  for (auto const i : of.members) {
    auto const& c = static_cast<redis_claim const&>(*claims[i]);
    words.push_back(c.owner());
    words.push_back(owned.emplace_back(ms_text(c.ttl())));
    words.push_back(owned.emplace_back(ms_text(c.lock_delay())));
  }
  std::string out;
  append_command(out, words);
  return out;
}

result<duration> renewed(reply const& kept, duration ttl, settings const& where) {
  auto const n = kept.as_number();
  if (!n) return unexpected(where);
  return *n == 1 ? result<duration>(ttl) : result<duration>(errc::lost);
}

void read_renewals(bundle const& of, result<reply> const& r, std::span<spi::claim* const> claims,
                   std::span<result<duration>> out, settings const& where) {
  for (std::size_t k = 0; k < of.members.size(); ++k) {
    auto const i = of.members[k];
    auto const ttl = static_cast<redis_claim const&>(*claims[i]).ttl();
    if (!r) {
      out[i] = r.get_failure();
    } else if (r->is_error()) {
      out[i] = failure_of(*r, where);
    } else {
      out[i] = renewed(of.alone ? r->at(k) : *r, ttl, where);
    }
  }
}

}  // namespace

spi::task<void> backend::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  auto& drive = co_await spi::this_driver();
  calls_.relax(drive.now());
  auto limit = duration::max();
  for (auto const* c : claims) limit = std::min(limit, static_cast<redis_claim const&>(*c).patience());
  auto const until = drive.now() + limit;
  auto todo = bundles_of(claims);
  // Once more, with their text, for scripts the server does not know, and for a connection that broke.
  for (int round = 0; round < 2 && !todo.empty() && drive.now() < until; ++round) {
    std::vector<std::string> commands;
    commands.reserve(todo.size());
    for (auto const& b : todo) commands.push_back(renewal_command(b, claims, round > 0));
    std::vector<result<reply>> replies(todo.size(), result<reply>(errc::outcome_unknown));
    co_await requests_.ask_all(std::move(commands), replies, until);
    std::vector<bundle> again;
    for (std::size_t i = 0; i < todo.size(); ++i) {
      read_renewals(todo[i], replies[i], claims, out, settings_);
      bool const unknown =
          replies[i] ? replies[i]->error_code() == "NOSCRIPT" : replies[i].error() == errc::outcome_unknown;
      if (unknown) again.push_back(std::move(todo[i]));
    }
    todo = std::move(again);
  }
}

}  // namespace leasehold::inline v0_1::redis
