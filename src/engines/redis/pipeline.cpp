#include "engines/redis/pipeline.hpp"

#include "engines/redis/answers.hpp"
#include "model/assert.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::redis {

/// One caller's commands. INVARIANT: in `unsent_`, or wholly sent, or over.
struct pipeline::exchange final : party, std::enable_shared_from_this<pipeline::exchange> {
  std::vector<std::string> commands;
  std::vector<std::optional<result<reply>>> replies;
  std::size_t answered = 0;
  bool sent = false;
};

void pipeline::on_join(party& me) { unsent_.push_back(static_cast<exchange&>(me).shared_from_this()); }

void pipeline::on_leave(party& me) noexcept {
  auto const& e = static_cast<exchange&>(me);
  if (!e.sent) std::erase_if(unsent_, [&](auto const& u) { return u.get() == &e; });
}

/// One write for all that wait for it.
void pipeline::on_turn() {
  if (unsent_.empty()) return;
  std::string joined;
  bool const single = unsent_.size() == 1 && unsent_.front()->commands.size() == 1;
  for (auto const& e : unsent_) {
    e->sent = true;
    for (std::size_t i = 0; i < e->commands.size(); ++i) {
      in_flight_.push_back({e, i, now_});
      if (!single) joined += e->commands[i];
    }
  }
  auto const sent = std::exchange(unsent_, {});
  send(single ? sent.front()->commands.front() : joined);
}

void pipeline::on_reply(reply&& r) {
  if (in_flight_.empty()) return;
  auto const first = std::move(in_flight_.front());
  in_flight_.pop_front();
  auto& e = *first.who;
  e.replies[first.index].emplace(std::move(r));
  if (++e.answered == e.replies.size()) finish(e);
}

void pipeline::on_down(failure const& why) {
  // INVARIANT: what was sent may have taken effect; what was not has not.
  auto const unknown = failure{make_error_code(errc::outcome_unknown), why.details};
  for (auto const& s : std::exchange(in_flight_, {})) {
    s.who->replies[s.index].emplace(unknown);
    if (++s.who->answered == s.who->replies.size()) finish(*s.who);
  }
  for (auto const& e : std::exchange(unsent_, {})) {
    for (auto& r : e->replies) r.emplace(why);
    finish(*e);
  }
}

time_point pipeline::owed_since() const noexcept {
  return in_flight_.empty() ? time_point::max() : in_flight_.front().sent_at;
}

spi::task<void> pipeline::carry_out(std::shared_ptr<exchange> e, time_point until) {
  auto const why = co_await attend(e, until);
  std::lock_guard const hold(guard_);
  failure missing{make_error_code(errc::outcome_unknown),
                  diagnostics(to_.shown + " did not answer in time", "is it stopped, overloaded, or the network cut?")};
  if (!e->sent) missing.code = make_error_code(errc::unavailable);
  if (why == spi::wake::stopped || is_closed()) missing = failure{errc::cancelled};
  for (auto& r : e->replies) {
    if (!r) r.emplace(missing);
  }
}

spi::task<result<reply>> pipeline::ask(std::string bytes, time_point until) {
  auto e = std::make_shared<exchange>();
  e->commands.push_back(std::move(bytes));
  e->replies.resize(1);
  co_await carry_out(e, until);
  // Its slot may still be in the queue, and its reply come at any time.
  std::lock_guard const hold(guard_);
  co_return std::move(*e->replies.front());
}

spi::task<void> pipeline::ask_all(std::vector<std::string> commands, std::span<result<reply>> out, time_point until) {
  LEASEHOLD_ASSERT(commands.size() == out.size());
  if (commands.empty()) co_return;
  auto e = std::make_shared<exchange>();
  e->commands = std::move(commands);
  e->replies.resize(out.size());
  co_await carry_out(e, until);
  std::lock_guard const hold(guard_);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = std::move(*e->replies[i]);
}

std::string run_command(script const& what, run_by how, std::span<std::string_view const> keys,
                        std::span<std::string const> arguments) {
  auto const count = std::to_string(keys.size());
  std::vector<std::string_view> words{"EVALSHA", what.sha, count};
  if (how == run_by::text) words = {"EVAL", what.text, count};
  if (how == run_by::function) words = {"FCALL", what.function, count};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::string out;
  append_command(out, words);
  return out;
}

namespace {

/// Whether a refusal is about the function, not about what it would have done: the script is run in the other way then.
bool lacks_functions(reply const& r) {
  bool const forbidden = r.error_code() == "NOPERM" && r.text.find("command") != std::string::npos;
  return forbidden || (r.is_error() && r.text.find("unknown command") != std::string::npos);
}

bool lacks_this_function(reply const& r) {
  return r.is_error() && r.text.find("Function not found") != std::string::npos;
}

}  // namespace

/// Nothing: the server knows no functions.
spi::task<std::optional<result<reply>>> pipeline::call_function(script const& what, std::vector<std::string_view> keys,
                                                                std::vector<std::string> arguments, time_point until) {
  auto r = co_await ask(run_command(what, run_by::function, keys, arguments), until);
  if (r && lacks_this_function(*r)) {
    auto request = command({"FUNCTION", "LOAD", what.library});
    auto const loaded = co_await ask(std::move(request), until);
    if (!loaded) co_return loaded;
    // Somebody else may have loaded it meanwhile; whether it is there now, the next call tells.
    r = co_await ask(run_command(what, run_by::function, keys, arguments), until);
  }
  if (r && (lacks_functions(*r) || lacks_this_function(*r))) {
    has_functions_ = false;
    co_return std::nullopt;
  }
  co_return r;
}

spi::task<result<reply>> pipeline::run(script const& what, std::vector<std::string_view> keys,
                                       std::vector<std::string> arguments, time_point until) {
  if (!what.function.empty() && has_functions_) {
    auto r = co_await call_function(what, keys, arguments, until);
    if (r) co_return std::move(*r);
  }
  auto r = co_await ask(run_command(what, run_by::sha, keys, arguments), until);
  if (r && r->error_code() == "NOSCRIPT") r = co_await ask(run_command(what, run_by::text, keys, arguments), until);
  co_return r;
}

spi::task<result<void>> pipeline::probe(time_point until) {
  auto request = command({"PING"});
  auto r = co_await ask(std::move(request), until);
  if (!r) co_return r.get_failure();
  if (r->is_error()) co_return failure_of(*r, to_);
  co_return result<void>();
}

}  // namespace leasehold::inline v0_1::redis
