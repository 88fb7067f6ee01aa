// Decides what redlock: is measured against: a bare loop that sends the engine's own scripts to all nodes at once and goes on when a
// majority has answered.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;

namespace bench {

/// One connection to each node; throws on any error.
class hiredis_quorum {
 public:
  explicit hiredis_quorum(std::vector<std::string> const& sockets);

  /// A pair by the engine's own scripts, with the arguments that the engine sends. `list`: the nodes' own fingerprint.
  void pair(std::string const& name) { pairs({name}); }
  /// All names at a time: a round of asking, over when three nodes have answered everything, and one of releasing.
  void pairs(std::vector<std::string> const& names);

 private:
  struct hang_up {
    void operator()(redisContext* c) const noexcept;
  };
  struct link {
    std::unique_ptr<redisContext, hang_up> context;
    int owed = 0;
  };
  void append(std::vector<std::string_view> const& words);
  void await_majority(int asked);
  /// Replies of the round that was asked last, as far as they have come.
  int take(link& from);

  std::vector<link> links_;
  std::string list_;
  std::string words_;
  unsigned long long hint_;
};

}  // namespace bench
