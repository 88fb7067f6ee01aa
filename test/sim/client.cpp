#include "sim/client.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace leasehold::sim {
namespace {

constexpr leasehold::traits sim_traits{
    .engine = "sim",
    .exclusion = exclusion::timed,
    .exclusion_with_ttl = exclusion::timed,
    .fencing = fencing::always,
    .waiting = waiting::fifo,
    .shared = true,
    .semaphore = true,
    .survives_holder_crash_at_once = false,
    .ttl_default = std::chrono::seconds(15),
    .ttl_min = std::chrono::milliseconds(100),
    .ttl_max = std::chrono::seconds(60),
    .metadata_bytes_max = 4096,
    .summary = "The lock table of mem: behind a simulated network.",
};

holder_info describe(spi::claim_spec const& spec) {
  holder_info who;
  who.identity = spec.identity;
  who.reason = spec.reason;
  for (auto const& l : spec.labels) who.labels.emplace_back(l.key, l.value);
  return who;
}

}  // namespace

mem::owner_id link::new_owner() const {
  std::lock_guard const hold(world.guard());
  return server.new_owner();
}

void link::send_up(std::function<void()> const& deliver) {
  if (is_cut) return;
  if (requests_to_lose > 0) {
    --requests_to_lose;
    return;
  }
  ++requests;
  send(up, deliver);
}

void link::send_down(std::function<void()> const& deliver) {
  if (is_cut) return;
  if (replies_to_lose > 0) {
    --replies_to_lose;
    return;
  }
  send(down, deliver);
}

void link::send(weather const& how, std::function<void()> const& deliver) {
  if (pace == nullptr) return network(world).send(how, deliver);
  pace->message_begins();
  network(world).send(how, [p = pace, deliver] {
    p->message_ends();
    deliver();
  });
}

template <class T>
void post(std::shared_ptr<link> const& by, std::shared_ptr<call<T>> const& c, time_point patience_ends,
          std::function<result<T>(server&)> const& act) {
  std::lock_guard const hold(by->world.guard());
  if (by->pace != nullptr) by->pace->call_begins(c, patience_ends);
  by->send_up([by, c, act] {
    auto const done = act(by->server);
    by->send_down([by, c, done] {
      if (!c->open || c->reply) return;
      c->reply.emplace(done);
      if (by->pace != nullptr) by->pace->call_ends(*c);
      c->waker->wake();
    });
  });
}

template <class T>
spi::task<result<T>> ask(std::shared_ptr<link> by, std::function<result<T>(server&)> const& act) {
  auto& drive = co_await spi::this_driver();
  if (by->closed) co_return failure{errc::cancelled};
  auto c = std::make_shared<call<T>>();
  c->waker = drive.get_waker();
  spi::wait_request patience{};
  patience.until = drive.now() + by->op_timeout;
  post<T>(by, c, patience.until, act);
  auto why = spi::wake::ready;
  for (;;) {
    {
      std::lock_guard const hold(by->world.guard());
      if (c->reply) co_return std::move(*c->reply);
      if (why != spi::wake::ready) {
        c->open = false;
        co_return failure{errc::outcome_unknown};
      }
    }
    why = co_await spi::wait_on(patience);
  }
}

claim::claim(std::shared_ptr<link> by, spi::claim_spec const& spec, mem::owner_id adopted)
    : link_(std::move(by)), name_(spec.name), may_hold_(adopted != 0) {
  asked_.owner = adopted != 0 ? adopted : link_->new_owner();
  asked_.mode = spec.mode;
  asked_.ttl = spec.ttl.value_or(*sim_traits.ttl_default);
  asked_.lock_delay = spec.lock_delay;
  asked_.who = describe(spec);
}

spi::task<result<spi::answer>> claim::try_once(bool enqueue) {
  if (std::exchange(withdrawn_, false) && !link_->reuses_owner) asked_.owner = link_->new_owner();
  std::function<result<spi::answer>(server&)> const act = [name = name_, asked = asked_, enqueue](server& s) {
    return s.attempt(name, asked, enqueue);
  };
  auto answer = co_await ask<spi::answer>(link_, act);
  may_hold_ = answer ? std::holds_alternative<spi::granted>(*answer) : answer.error() == errc::outcome_unknown;
  co_return answer;
}

std::function<result<duration>(server&)> claim::renewal() const {
  return [name = name_, owner = asked_.owner](server& s) { return s.renew(name, owner); };
}

spi::task<result<duration>> claim::renew() {
  auto const act = renewal();
  auto answer = co_await ask<duration>(link_, act);
  co_return answer;
}

spi::task<result<void>> claim::withdraw(duration hold_off) {
  std::function<result<mem::departure>(server&)> const act = [name = name_, owner = asked_.owner, hold_off](server& s) {
    return s.withdraw(name, owner, hold_off);
  };
  withdrawn_ = true;
  auto const met = co_await ask<mem::departure>(link_, act);
  bool const held = std::exchange(may_hold_, false);
  if (!met) co_return met.get_failure();
  if (held && *met == mem::departure::absent_free) co_return failure{errc::expired};
  if (held && *met == mem::departure::absent_taken) co_return failure{errc::not_owner};
  co_return result<void>();
}

namespace {

/// Told by the engine, over the same bad network, that it might be this one's turn.
class watch {
 public:
  watch(std::shared_ptr<link> by, std::string const& name, mem::owner_id owner, std::shared_ptr<spi::waker> waker,
        time_point until)
      : by_(std::move(by)), owner_(owner), waker_(std::move(waker)) {
    std::lock_guard const hold(by_->world.guard());
    auto const called = by_->pace != nullptr ? by_->pace->rest_begins(waker_, until) : waker_;
    by_->server.watch(name, owner_, [by = by_, called] { by->send_down([called] { called->wake(); }); });
  }
  watch(watch const&) = delete;
  watch& operator=(watch const&) = delete;
  ~watch() {
    std::lock_guard const hold(by_->world.guard());
    by_->server.unwatch(owner_);
    if (by_->pace != nullptr) by_->pace->rest_ends(*waker_);
  }

 private:
  std::shared_ptr<link> by_;
  mem::owner_id owner_;
  std::shared_ptr<spi::waker> waker_;
};

}  // namespace

spi::task<spi::wake> claim::changed(time_point until) {
  auto& drive = co_await spi::this_driver();
  watch const scope(link_, name_, asked_.owner, drive.get_waker(), until);
  spi::wait_request sleep{};
  sleep.until = until;
  co_return co_await spi::wait_on(sleep);
}

spi::task<result<std::string>> claim::detach() {
  auto const left = co_await renew();
  if (!left) co_return left.get_failure();
  may_hold_ = false;
  withdrawn_ = true;
  co_return "sim-" + std::to_string(asked_.owner);
}

traits const& backend::traits() const noexcept { return sim_traits; }

std::unique_ptr<spi::claim> backend::make_claim(spi::claim_spec const& spec) {
  return std::make_unique<claim>(link_, spec);
}

spi::task<result<spi::backend::adopted>> backend::adopt(spi::claim_spec const& spec, std::string_view ticket) {
  mem::owner_id before = 0;
  if (ticket.starts_with("sim-")) std::from_chars(ticket.data() + 4, ticket.data() + ticket.size(), before);
  if (before == 0) co_return failure{errc::bad_option};
  auto const mine = link_->new_owner();
  std::function<result<spi::granted>(server&)> const act = [name = std::string(spec.name), before, mine](server& s) {
    auto const taken = s.table().hand_over(s.now(), name, before, mine);
    return taken ? result<spi::granted>(*taken) : result<spi::granted>(errc::lost);
  };
  auto const grant = co_await ask<spi::granted>(link_, act);
  if (!grant) co_return grant.get_failure();
  adopted out{std::make_unique<sim::claim>(link_, spec, mine), *grant};
  co_return std::move(out);
}

spi::task<result<lock_info>> backend::inspect(std::string_view name) {
  std::function<result<lock_info>(server&)> const act = [name = std::string(name)](server& s) {
    return result<lock_info>(s.table().inspect(s.now(), name));
  };
  auto answer = co_await ask<lock_info>(link_, act);
  co_return answer;
}

spi::task<result<std::vector<lock_info>>> backend::list(std::string_view prefix) {
  using infos = std::vector<lock_info>;
  std::function<result<infos>(server&)> const act = [prefix = std::string(prefix)](server& s) {
    return result<infos>(s.table().list(s.now(), prefix));
  };
  auto answer = co_await ask<infos>(link_, act);
  co_return answer;
}

spi::task<result<void>> backend::evict(std::string_view name, std::uint64_t token, evict_options const& options) {
  std::function<result<mem::owner_id>(server&)> const act =
      [name = std::string(name), token, at_once = options.now](server& s) { return s.evict(name, token, at_once); };
  auto const gone = co_await ask<mem::owner_id>(link_, act);
  if (!gone) co_return gone.get_failure();
  co_return result<void>();
}

spi::task<void> backend::renew(std::span<spi::claim* const> claims, std::span<result<duration>> out) {
  auto& drive = co_await spi::this_driver();
  spi::wait_request patience{};
  patience.until = drive.now() + link_->op_timeout;
  std::vector<std::shared_ptr<call<duration>>> calls;
  for (auto* const each : claims) {
    calls.push_back(std::make_shared<call<duration>>());
    calls.back()->waker = drive.get_waker();
    post<duration>(link_, calls.back(), patience.until, dynamic_cast<sim::claim&>(*each).renewal());
  }
  for (auto why = spi::wake::ready; why == spi::wake::ready; why = co_await spi::wait_on(patience)) {
    std::lock_guard const hold(link_->world.guard());
    if (std::ranges::all_of(calls, [](auto const& c) { return c->reply.has_value(); })) break;
  }
  std::lock_guard const hold(link_->world.guard());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    calls[i]->open = false;
    if (calls[i]->reply)
      out[i] = std::move(*calls[i]->reply);
    else
      out[i] = errc::outcome_unknown;
  }
}

void backend::close() noexcept {
  std::lock_guard const hold(link_->world.guard());
  link_->closed = true;
}

}  // namespace leasehold::sim
