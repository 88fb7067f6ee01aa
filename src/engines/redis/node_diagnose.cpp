// Decides what a health check of a node asks: what it asks any server, and what the node says of itself.
#include "engines/redis/answers.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/health.hpp"
#include "engines/redis/node.hpp"
#include "engines/redis/wall_clock.hpp"

namespace leasehold::inline v0_1::redis {

spi::task<std::vector<finding>> redis_node::diagnose() {
  auto& drive = co_await spi::this_driver();
  auto const until = drive.now() + op_timeout_most;
  std::vector<finding> out;
  auto const state = co_await look(until);
  if (!state) {
    auto const& why = state.get_failure().details;
    out.push_back({finding::level::fail, "redlock/node", std::string(why.message()), std::string(why.hint())});
    co_return std::move(out);
  }
  if (state->votes) {
    out.push_back({finding::level::pass, "redlock/node", settings_.shown + " votes; run id " + state->identity, {}});
  } else {
    out.push_back({finding::level::warn, "redlock/node",
                   settings_.shown + " does not vote: it is fresh, or has forgotten what it granted",
                   "it rejoins after its probation while a majority of the others votes"});
  }
  auto request = command({"TIME"});
  auto const time = co_await requests_.ask(std::move(request), until);
  auto const ours = wall_clock_ms();
  auto const s = time ? time->at(0).as_number() : std::nullopt;
  if (!s) co_return std::move(out);
  auto const theirs = *s * 1000 + time->at(1).as_number().value_or(0) / 1000;
  auto const off = theirs - ours;
  out.push_back({finding::level::pass,
                 "redlock/clock",
                 settings_.shown + ": its clock is " + std::to_string(std::abs(off)) + " ms " +
                     (off < 0 ? "behind" : "ahead of") + " this machine's; nothing depends on it but its rate",
                 {}});
  co_return std::move(out);
}

}  // namespace leasehold::inline v0_1::redis
