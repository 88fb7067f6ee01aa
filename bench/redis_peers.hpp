// Decides what redis: is measured against: blocking hiredis loops that send the engine's own scripts, or the plain commands.
#pragma once

#include "batons.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

struct redisContext;
struct redisReply;

namespace bench {

/// One blocking connection; throws on any error.
class hiredis_link {
 public:
  /// "host:port", or the path of a Unix socket.
  explicit hiredis_link(std::string const& address);

  /// A pair by the engine's own scripts, with the arguments that the engine sends.
  void pair_by_scripts(std::string const& name);
  /// As many at once as there are names: all acquire in one go, then all withdraw.
  void pairs_by_scripts(std::vector<std::string> const& names);
  /// A pair as other clients do it: SET NX PX, and compare-and-delete by EVALSHA.
  void pair_by_commands(std::string const& name);
  /// The halves of `pair_by_scripts`. With a `channel` a refusal leaves a place in line, and a call comes there.
  [[nodiscard]] bool acquire_by_script(std::string const& name, std::string const& who,
                                       std::string const& channel = {});
  void withdraw_by_script(std::string const& name, std::string const& who);
  void subscribe(std::string const& channel);
  /// Blocks until a message comes on a channel that was subscribed to.
  void await_message();
  /// How many commands clients have sent so far; what scripts call does not count.
  [[nodiscard]] long long commands_of_clients();

 private:
  struct hang_up {
    void operator()(redisContext* c) const noexcept;
  };
  struct free_reply {
    void operator()(redisReply* r) const noexcept;
  };
  using reply_ptr = std::unique_ptr<redisReply, free_reply>;
  void append(std::vector<std::string_view> const& words);
  reply_ptr receive();
  long long ask(std::vector<std::string_view> const& words);

  std::unique_ptr<redisContext, hang_up> link_;
  std::string compare_and_delete_;
};

/// The engine's own scripts and calls by blocking hiredis loops: take a place, receive the call, run the same script.
[[nodiscard]] baton published_baton(std::string const& address, int me);

}  // namespace bench
