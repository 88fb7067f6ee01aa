#include "engines/redis/node.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/node_answers.hpp"
#include "engines/redis/view.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::redis {

namespace {

result<void> whatever(reply const&, settings const&) { return {}; }

/// A majority is not waited beyond: what is asked of this node may be given up before its reply comes, so that nobody is there to
/// send a script that the server turns out not to know. Each connection brings them along.
greeting greeting_for_node(settings const& to) {
  auto out = greeting_for_requests(to);
  out.push_back({command({"FUNCTION", "LOAD", node_ask_script().library}),
                 whatever});  // where there are functions, and not yet this
  for (auto const* s : {&node_ask_script(), &node_settle_script(), &node_release_script(), &renew_script()}) {
    out.push_back({command({"SCRIPT", "LOAD", s->text}), whatever});
  }
  return out;
}

/// Whether a refusal of a function is about this one alone.
bool what_knows_functions(reply const& refusal) { return refusal.text.find("Function not found") != std::string::npos; }

}  // namespace

result<std::shared_ptr<spi::node>> open_redis_node(spi::url const& url, spi::node_terms const& terms) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  if (!where->guarded) {
    return failure{make_error_code(errc::bad_option),
                   diagnostics("safety=best is not for a node: a majority rests on nodes that know when they forgot")};
  }
  return std::shared_ptr<spi::node>(std::make_shared<redis_node>(std::move(*where), terms));
}

redis_node::redis_node(settings of, spi::node_terms terms)
    : settings_(std::move(of)),
      terms_(std::move(terms)),
      requests_(settings_, greeting_for_node(settings_)),
      calls_(settings_, "lh:c:" + new_owner().substr(0, 16)) {}

std::unique_ptr<spi::node_claim> redis_node::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<redis_node_claim>(*this, spec);
}

void redis_node::close() noexcept {
  requests_.close();
  calls_.close();
}

spi::task<result<reply>> redis_node::run(script const& what, std::vector<std::string_view> const& keys,
                                         std::vector<std::string> const& arguments, time_point until) {
  auto& drive = co_await spi::this_driver();
  // The connection has brought the script along, so one request will do.
  auto const how = !what.function.empty() && has_functions_ ? run_by::function : run_by::sha;
  auto bytes = run_command(what, how, keys, arguments);
  auto r = co_await requests_.ask(std::move(bytes), until);
  if (r && !r->is_error()) co_return std::move(r);
  bool const broke = !r && r.error() == errc::outcome_unknown && drive.now() < until;
  if (!broke && (!r || (how == run_by::sha && r->error_code() != "NOSCRIPT"))) co_return std::move(r);
  // It has been flushed meanwhile, or the server knows no functions: that takes the longer way.
  auto second = co_await requests_.run(what, keys, arguments, until);
  if (!broke && how == run_by::function && second && !second->is_error()) has_functions_ = what_knows_functions(*r);
  co_return std::move(second);
}

spi::task<result<spi::node::standing>> redis_node::look(time_point until) {
  std::vector<std::string_view> keys{node_key};
  std::vector<std::string> arguments{terms_.list};
  auto const r = co_await run(node_look_script(), keys, arguments, until);
  if (!r) co_return r.get_failure();
  co_return standing_of(*r, settings_);
}

spi::task<result<void>> redis_node::rejoin(std::uint64_t counter, time_point until) {
  std::vector<std::string_view> keys{node_key};
  std::vector<std::string> arguments{std::to_string(counter), terms_.list};
  auto const r = co_await run(node_rejoin_script(), keys, arguments, until);
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, settings_);
  co_return result<void>();  // whether it votes now, the next request tells
}

spi::task<result<void>> redis_node::initialize(std::uint64_t counter, time_point until) {
  std::vector<std::string_view> keys{node_key};
  std::vector<std::string> arguments{std::to_string(counter), terms_.list, terms_.list_shown,
                                     ms_text(settings_.max_ttl)};
  auto const r = co_await run(node_initialize_script(), keys, arguments, until);
  if (!r) co_return r.get_failure();
  co_return done_of(*r, settings_);
}

spi::task<result<spi::node::view>> redis_node::inspect(std::string_view name, time_point until) {
  if (is_reserved(name)) co_return reserved_name();
  auto& drive = co_await spi::this_driver();
  node_keys const keys(name);
  auto const all = keys.all();
  std::vector<std::string> const none;
  auto const r = co_await run(node_inspect_script(), all, none, until);
  if (!r) co_return r.get_failure();
  auto info = info_of(*r, name, drive.now(), settings_);
  if (!info) co_return info.get_failure();
  view out;
  auto const& value = r->at(1).text;
  if (!value.starts_with(shared_prefix) && value != held_off_value) out.owner = value;
  out.info = std::move(*info);
  co_return std::move(out);
}

spi::task<result<std::vector<std::string>>> redis_node::names(std::string_view prefix, time_point until) {
  std::vector<std::string> out;
  std::string cursor = "0";
  do {
    auto request = command({"HSCAN", node_held_key, cursor, "COUNT", "500"});
    auto const r = co_await requests_.ask(std::move(request), until);
    if (!r) co_return r.get_failure();
    if (r->is_error()) co_return failure_of(*r, settings_);
    cursor = r->at(0).text;
    auto const& pairs = r->at(1).items;
    for (std::size_t i = 0; i < pairs.size(); i += 2) {
      if (pairs[i].text.starts_with(prefix)) out.push_back(pairs[i].text);
    }
  } while (!cursor.empty() && cursor != "0");
  co_return std::move(out);
}

spi::task<result<bool>> redis_node::evict(std::string_view name, std::string_view owner, bool now, time_point until) {
  node_keys const keys(name);
  auto const all = keys.all();
  std::vector<std::string> const arguments{std::string(owner), now ? "1" : "0"};
  auto const r = co_await run(node_evict_script(), all, arguments, until);
  if (!r) co_return r.get_failure();
  co_return truth_of(*r, settings_);
}

}  // namespace leasehold::inline v0_1::redis
