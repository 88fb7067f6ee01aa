// Decides what redis: is measured against: blocking hiredis loops that send the engine's own scripts, or the plain commands.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;

namespace bench {

/// One blocking connection; throws on any error.
class hiredis_link {
 public:
  explicit hiredis_link(std::string const& socket);

  /// A pair by the engine's own scripts, with the arguments that the engine sends.
  void pair_by_scripts(std::string const& name);
  /// A pair as other clients do it: SET NX PX, and compare-and-delete by EVALSHA.
  void pair_by_commands(std::string const& name);

 private:
  struct hang_up {
    void operator()(redisContext* c) const noexcept;
  };
  long long ask(std::vector<std::string_view> const& words);

  std::unique_ptr<redisContext, hang_up> link_;
  std::string compare_and_delete_;
};

}  // namespace bench
