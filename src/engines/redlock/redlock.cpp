#include "engines/redlock/redlock.hpp"

#include "engines/redlock/backend.hpp"
#include "engines/redlock/own_driver.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::redlock {
namespace {

result<node_list> nodes_of(settings const& where) {
  node_list out;
  for (auto const& url : where.nodes) {
    auto const& all = spi::builtin_engines();
    auto const found = std::ranges::find(all, url.scheme, &spi::engine_entry::scheme);
    if (found == all.end() || found->open_node == nullptr) {
      return failure{make_error_code(errc::bad_option),
                     diagnostics("redlock: takes no node of scheme \"" + url.scheme + ":\"",
                                 "nodes are redis:, rediss: and redis+unix:")};
    }
    auto node = found->open_node(url, where.terms);
    if (!node) return node.get_failure();
    out.push_back(std::move(*node));
  }
  return out;
}

}  // namespace

result<spi::opened> open_redlock(spi::url const& url, bool lazy) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  auto nodes = nodes_of(*where);
  if (!nodes) return nodes.get_failure();
  auto made = std::make_shared<backend>(std::move(*where), std::move(*nodes));
  if (!lazy) {
    if (auto ok = own_driver().run(made->probe()); !ok) return ok.get_failure();
  }
  return spi::opened{std::move(made), nullptr, url.redacted()};
}

result<void> initialize_redlock(spi::url const& url) {
  auto where = settings_of(url);
  if (!where) return where.get_failure();
  auto nodes = nodes_of(*where);
  if (!nodes) return nodes.get_failure();
  backend to(std::move(*where), std::move(*nodes));
  return own_driver().run(to.initialize());
}

}  // namespace leasehold::inline v0_1::redlock
