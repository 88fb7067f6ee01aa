// Decides how requests of all callers share one connection: pipelined, each with a time of its own, none harmed by another's end.
#pragma once

#include "engines/redis/link.hpp"
#include "engines/redis/scripts.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::redis {

/// One request to run a script: EVALSHA, EVAL with its text, or FCALL.
enum class run_by { sha, text, function };
[[nodiscard]] std::string run_command(script const& what, run_by how, std::span<std::string_view const> keys,
                                      std::span<std::string const> arguments);

class pipeline final : public link {
 public:
  explicit pipeline(settings const& to) : link(to, greeting_for_requests(to)) {}
  pipeline(settings const& to, greeting hello) : link(to, std::move(hello)) {}

  /// Sends one command and waits for its reply, which may be an error. Failures: errc::unavailable (never sent),
  /// errc::outcome_unknown (sent, but no reply came until then, or the connection broke), errc::cancelled (stop, close).
  spi::task<result<reply>> ask(std::string bytes, time_point until);
  /// As `ask`, for many at once: one wait. `out` has a place for each.
  spi::task<void> ask_all(std::vector<std::string> commands, std::span<result<reply>> out, time_point until);
  /// Runs a script, as a function where it has one and the server knows functions; what the server lacks of it is sent.
  spi::task<result<reply>> run(script const& what, std::vector<std::string_view> keys,
                               std::vector<std::string> arguments, time_point until);
  /// Connects and greets, unless that has been done.
  spi::task<result<void>> probe(time_point until);

 private:
  struct exchange;
  struct slot {
    std::shared_ptr<exchange> who;
    std::size_t index;
    time_point sent_at;
  };

  spi::task<std::optional<result<reply>>> call_function(script const& what, std::vector<std::string_view> keys,
                                                        std::vector<std::string> arguments, time_point until);
  spi::task<void> carry_out(std::shared_ptr<exchange> e, time_point until);
  void on_join(party& me) override;
  void on_turn() override;
  void on_leave(party& me) noexcept override;
  void on_reply(reply&& r) override;
  void on_down(failure const& why) override;
  [[nodiscard]] time_point owed_since() const noexcept override;

  std::atomic<bool> has_functions_{true};  // until the server says otherwise
  std::deque<std::shared_ptr<exchange>> unsent_;
  std::deque<slot> in_flight_;
};

}  // namespace leasehold::inline v0_1::redis
