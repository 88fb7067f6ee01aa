// Decides how a node renews many at once: those held alone in one script, those held together one by one, in one wait.
#include "engines/redis/answers.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/node.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

constexpr std::size_t bundle_most = 200;

/// The claims whose renewal is one request.
std::vector<std::vector<std::size_t>> bundles_of(std::vector<spi::node_claim*> const& claims) {
  std::vector<std::vector<std::size_t>> out;
  std::vector<std::vector<std::size_t>> singles;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (!static_cast<redis_node_claim const&>(*claims[i]).is_alone()) {
      singles.push_back({i});
      continue;
    }
    if (out.empty() || out.back().size() == bundle_most) out.emplace_back();
    out.back().push_back(i);
  }
  out.insert(out.end(), singles.begin(), singles.end());
  return out;
}

std::string request_for(std::vector<std::size_t> const& members, std::vector<spi::node_claim*> const& claims,
                        std::vector<std::string_view> const& owners, run_by how) {
  auto const& first = static_cast<redis_node_claim const&>(*claims[members.front()]);
  std::vector<std::string_view> keys;
  std::vector<std::string> arguments;
  for (auto const i : members) {
    auto const& c = static_cast<redis_node_claim const&>(*claims[i]);
    keys.emplace_back(c.name());
    arguments.emplace_back(owners[i]);
    arguments.push_back(ms_text(c.ttl()));
    arguments.push_back(ms_text(c.lock_delay()));
  }
  if (first.is_alone()) return run_command(renew_script(), how, keys, arguments);
  name_keys const shared(first.name());
  return run_command(renew_shared_script(), how, script_keys(shared), arguments);
}

}  // namespace

spi::task<result<std::vector<bool>>> redis_node::renew(std::vector<spi::node_claim*> claims,
                                                       std::vector<std::string_view> owners, time_point until) {
  auto const bundles = bundles_of(claims);
  std::vector<bool> kept(claims.size());
  auto how = run_by::sha;
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> requests;
    requests.reserve(bundles.size());
    for (auto const& b : bundles) requests.push_back(request_for(b, claims, owners, how));
    std::vector<result<reply>> replies(bundles.size(), result<reply>(errc::outcome_unknown));
    co_await requests_.ask_all(std::move(requests), replies, until);
    bool again = false;
    for (std::size_t b = 0; b < bundles.size(); ++b) {
      auto const& r = replies[b];
      bool const may_repeat = r ? r->error_code() == "NOSCRIPT" : r.error() == errc::outcome_unknown;
      if (may_repeat && round == 0) again = true;
      if (again) continue;
      if (!r) co_return r.get_failure();
      if (r->is_error()) co_return failure_of(*r, settings_);
      for (std::size_t k = 0; k < bundles[b].size(); ++k) {
        auto const n = r->what == reply::kind::array ? r->at(k).as_number() : r->as_number();
        if (!n) co_return unexpected(settings_);
        kept[bundles[b][k]] = *n == 1;
      }
    }
    if (!again) break;
    how = run_by::text;
  }
  co_return std::move(kept);
}

}  // namespace leasehold::inline v0_1::redis
