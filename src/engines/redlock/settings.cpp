#include "engines/redlock/settings.hpp"

#include "model/quorum.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::redlock {
namespace {

failure bad(std::string message, std::string hint = {}) {
  return {make_error_code(errc::bad_option), diagnostics(std::move(message), std::move(hint))};
}

/// FNV-1a, 64 bits: told apart are the lists of honest clients.
std::string fingerprint_of(std::string_view text) {
  std::uint64_t h = 0xCBF29CE484222325U;
  for (char const c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[h >> shift & 15];
  return out;
}

/// Where a node is, without secrets, in one way of writing.
std::string place_of(spi::url const& node) {
  std::string out;
  for (auto const& at : node.hosts) {
    out += at.host + ":" + std::to_string(at.port == 0 ? 6379 : at.port);
  }
  return out + (node.path == "/" || node.path == "/0" ? "" : node.path);
}

result<std::vector<spi::url>> named_nodes(spi::url const& u) {
  std::vector<spi::url> out;
  for (auto const& [key, value] : u.query) {
    if (key != "node") continue;
    auto node = spi::parse_url(value);
    if (!node) return bad("a node's URL is none", "write ?node=redis%3A%2F%2Fhost once for each node");
    if (node->hosts.size() > 1) return bad("a node's URL names several hosts", "write one node= for each");
    out.push_back(std::move(*node));
  }
  return out;
}

/// One for each host, alike in all else.
std::vector<spi::url> listed_nodes(spi::url const& u) {
  std::vector<spi::url> out;
  for (auto const& at : u.hosts) {
    spi::url node;
    node.scheme = "redis";
    node.user = u.user;
    node.password = u.password;
    node.hosts.push_back(at);
    node.path = u.path;
    out.push_back(std::move(node));
  }
  return out;
}

spi::node_terms terms_of(std::vector<spi::url> const& nodes, std::optional<std::string> const& name) {
  std::vector<std::string> places;
  places.reserve(nodes.size());
  for (auto const& n : nodes) places.push_back(place_of(n));
  std::ranges::sort(places);  // in whatever order they are written
  std::string words = std::to_string(nodes.size()) + " nodes";
  if (name) {
    words += " called " + *name;
  } else {
    for (auto const& p : places) words += " " + p;
  }
  return {fingerprint_of(words), words};
}

}  // namespace

result<settings> settings_of(spi::url const& u) {
  if (auto ok = spi::check_query(u, {"node", "max_ttl", "list"}); !ok) return ok.get_failure();
  settings out;
  auto named = named_nodes(u);
  if (!named) return named.get_failure();
  if (!named->empty() && !u.hosts.empty()) {
    return bad("redlock: names nodes both as hosts and as node=", "choose one of the two");
  }
  out.nodes = named->empty() ? listed_nodes(u) : std::move(*named);
  if (out.nodes.size() < nodes_least || out.nodes.size() > model::quorum_nodes_max) {
    return bad("redlock: takes 3 to 9 nodes, not " + std::to_string(out.nodes.size()),
               "write redlock://host1,host2,host3; for one server there is redis:");
  }
  std::vector<std::string> places;
  for (auto const& n : out.nodes) places.push_back(place_of(n));
  std::ranges::sort(places);
  if (auto const twice = std::ranges::adjacent_find(places); twice != places.end()) {
    return bad("redlock: names a node twice: " + *twice, "a majority is one of different servers");
  }
  auto const list = u.get("list");
  if (list && list->empty()) return bad("list is empty");
  out.terms = terms_of(out.nodes, list);
  out.url = u.redacted();
  if (auto const text = u.get("max_ttl")) {
    auto const ttl = spi::parse_duration(*text);
    if (!ttl) return ttl.get_failure();
    if (*ttl < std::chrono::seconds(1) || *ttl > std::chrono::hours(24)) {
      return bad("max_ttl is out of range", "it takes 1s to 24h");
    }
    out.max_ttl = *ttl;
    for (auto& n : out.nodes) {
      if (n.get("max_ttl")) return bad("max_ttl is given for a node", "it is one for all: redlock:?max_ttl=…&node=…");
      n.query.emplace_back("max_ttl", *text);
    }
  }
  return out;
}

}  // namespace leasehold::inline v0_1::redlock
