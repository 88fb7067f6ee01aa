// Decides what a health check says of several nodes: of each, and of their independence.
#include "engines/redlock/backend.hpp"
#include "spi/fan.hpp"

namespace leasehold::inline v0_1::redlock {

spi::task<std::vector<finding>> backend::diagnose() {
  auto& drive = co_await spi::this_driver();
  std::vector<finding> out;
  auto const all = co_await look_at_all(drive.now() + op_timeout_most);
  std::size_t votes = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] && all[i]->votes) ++votes;
    for (std::size_t k = 0; all[i] && k < i; ++k) {
      if (!all[k] || all[k]->identity != all[i]->identity) continue;
      out.push_back({finding::level::fail, "redlock/independence",
                     nodes_[k]->shown() + " and " + nodes_[i]->shown() + " are one server", "name different servers"});
    }
  }
  auto const quorum = model::quorum_of(nodes_.size());
  auto const text = std::to_string(votes) + " of " + std::to_string(nodes_.size()) + " nodes vote, " +
                    std::to_string(quorum) + " are needed";
  if (votes == nodes_.size()) {
    out.push_back({finding::level::pass, "redlock/majority", text, {}});
  } else if (votes >= quorum) {
    out.push_back({finding::level::warn, "redlock/majority", text, "bring the others back while there is a majority"});
  } else {
    out.push_back({finding::level::fail, "redlock/majority", text,
                   "bring nodes back, or, if you know that nothing is held: leasehold init " + settings_.url});
  }
  out.push_back({finding::level::pass, "redlock/list", settings_.terms.list_shown, {}});
  spi::fan<std::vector<finding>> asks(drive);
  for (auto const& n : nodes_) asks.start(n->diagnose());
  std::vector<std::vector<finding>> by_node(nodes_.size());
  while (auto const which = co_await asks.next(drive.now() + op_timeout_most)) by_node[*which] = asks.take(*which);
  for (auto const& some : by_node) out.insert(out.end(), some.begin(), some.end());
  co_return std::move(out);
}

}  // namespace leasehold::inline v0_1::redlock
