// Decides what a health check asks of a server.
#include "engines/redis/answers.hpp"
#include "engines/redis/backend.hpp"
#include "engines/redis/claim.hpp"
#include "engines/redis/health.hpp"
#include "engines/redis/wall_clock.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

/// A request that brought no reply reads as an error.
reply said(result<reply> const& r) {
  if (r) return *r;
  reply out;
  out.what = reply::kind::error;
  out.text = "(no answer) " + std::string(r.get_failure().details.message());
  return out;
}

/// Somebody who waits, for as long as it takes to see whether one could.
class try_out_ear {
 public:
  explicit try_out_ear(subscriber& on) : on_(on) { on_.expect(ear_, "doctor"); }
  try_out_ear(try_out_ear const&) = delete;
  try_out_ear& operator=(try_out_ear const&) = delete;
  ~try_out_ear() { on_.forget(ear_); }
  [[nodiscard]] ear& get() noexcept { return ear_; }

 private:
  subscriber& on_;
  ear ear_;
};

}  // namespace

spi::task<std::vector<finding>> backend::diagnose() {
  auto& drive = co_await spi::this_driver();
  health_facts facts;
  constexpr int pings = 100;
  for (int i = 0; i < pings; ++i) {
    auto const from = drive.now();
    auto const ok = co_await requests_.probe(from + op_timeout_most);
    if (!ok) {
      auto const& why = ok.get_failure().details;
      std::vector<finding> unreachable;
      unreachable.push_back(
          {finding::level::fail, "redis/server", std::string(why.message()), std::string(why.hint())});
      co_return unreachable;
    }
    facts.round_trips.push_back(drive.now() - from);
  }
  name_keys const keys("lh:doctor");
  std::vector<std::string> const none;
  auto const until = drive.now() + op_timeout_most;
  facts.script = said(co_await requests_.run(inspect_script(), script_keys(keys), none, until));
  std::vector<std::string> questions;
  questions.push_back(command({"INFO"}));
  questions.push_back(command({"HGETALL", guard_key}));
  questions.push_back(command({"PUBLISH", calls_.channel(), "doctor"}));
  questions.push_back(command({"TIME"}));
  std::vector<result<reply>> replies(questions.size(), result<reply>(errc::outcome_unknown));
  co_await requests_.ask_all(std::move(questions), replies, until);
  auto const ours = wall_clock_ms();
  facts.info = said(replies[0]);
  facts.guard = said(replies[1]);
  facts.publish = said(replies[2]);
  auto const time = said(replies[3]);
  if (auto const s = time.at(0).as_number()) {
    facts.server_ms = *s * 1000 + time.at(1).as_number().value_or(0) / 1000;
    facts.clock_offset = std::chrono::milliseconds(facts.server_ms - ours);
  }
  try_out_ear waiting(calls_);
  facts.subscribed = co_await calls_.listen(waiting.get(), drive.now() + std::chrono::seconds(1)) == spi::wake::ready;
  co_return findings_of(facts, settings_);
}

}  // namespace leasehold::inline v0_1::redis
