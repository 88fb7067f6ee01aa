// Decides how a lock's queue is looked at and made, by any number of first users at once.
#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/pump.hpp"
#include "engines/rabbitmq/timing.hpp"

namespace leasehold::inline v0_1::rabbitmq {
namespace {

constexpr int not_found = 404;
constexpr int access_refused = 403;
constexpr int locked = 405;

}  // namespace

failure pump::refusal_of(incoming const& why, std::string const& queue) const {
  auto const said = [&](errc code, std::string const& what, std::string hint) {
    return failure{make_error_code(code), diagnostics(settings_.shown + ": " + what, std::move(hint), why.text)};
  };
  if (why.code == access_refused) {
    return said(errc::auth, "user \"" + settings_.user + "\" may not use queue " + queue,
                "rabbitmqctl set_permissions -p " + settings_.vhost + " " + settings_.user + " with '^" +
                    settings_.prefix + "[.:#!].*' in all three");
  }
  if (why.code == locked) {
    return said(errc::misconfigured, "queue " + queue + " is exclusive to another connection, and no lock",
                "delete it, or use another prefix=");
  }
  return said(errc::misconfigured,
              "queue " + queue + " is not the quorum queue with a single active consumer that a lock needs",
              "delete it (rabbitmqctl delete_queue), or use another prefix=");
}

/// The answer to what `send` sends on the channel for questions; sent again if it was dropped because of another one.
template <class Send>
spi::task<result<incoming>> pump::question(Send send) {
  for (;;) {
    if (!wire_) co_return failure{make_error_code(errc::unavailable), down_why_.details};
    send(*wire_);
    auto r = co_await reply(channel::look);
    bool const unread = r && r->what == incoming::kind::channel_closed && r->multiple;
    if (!unread) co_return r;
  }
}

spi::task<result<std::optional<pump::counts>>> pump::look(std::string queue) {
  auto const from = now();
  auto const send = [&queue](wire& w) { w.declare(queue, true); };
  auto const r = co_await question(send);
  if (!r) co_return r.get_failure();
  if (r->what == incoming::kind::reply) {
    round_trip_ = (round_trip_ * 7 + (now() - from)) / 8;
    co_return std::optional<counts>(counts{r->messages, r->consumers, false});
  }
  if (r->code == not_found) co_return std::optional<counts>();
  co_return refusal_of(*r, queue);
}

/// Makes it, or sees that it is what a lock needs. REQUIRES: the latch is ours.
spi::task<result<pump::counts>> pump::make(std::string queue) {
  auto const before = co_await look(queue);
  if (!before) co_return before.get_failure();
  auto const send = [&queue](wire& w) { w.declare(queue, false); };
  auto const r = co_await question(send);
  if (!r) co_return r.get_failure();
  if (r->what != incoming::kind::reply) co_return refusal_of(*r, queue);
  verified_.insert(queue);
  co_return counts{r->messages, r->consumers, !before->has_value()};
}

// A broker (3.10 at least) lets a queue be seen while it is still being made, and closes the connection of whoever consumes from it then.
// So the first users of a name come one by one: an exclusive queue is their latch, and dies with whoever has it.
spi::task<result<pump::counts>> pump::declare(std::string queue) {
  auto const latch = latch_of(settings_.prefix, queue);
  auto const until = after(now(), settings_.ttl_max());
  for (;;) {
    if (verified_.contains(queue)) {
      auto const there = co_await look(queue);
      if (!there) co_return there.get_failure();
      if (*there) co_return **there;
    }
    auto const take = [&latch](wire& w) { w.declare_latch(latch); };
    auto const taken = co_await question(take);
    if (!taken) co_return taken.get_failure();
    if (taken->what == incoming::kind::reply) {
      auto made = co_await make(queue);
      auto const drop = [&latch](wire& w) { w.remove(latch); };
      static_cast<void>(co_await question(drop));
      co_return made;
    }
    if (taken->code != locked) co_return refusal_of(*taken, latch);
    if (now() > until)
      co_return failure{
          make_error_code(errc::unavailable),
          diagnostics(settings_.shown + ": queue " + queue + " is being made by somebody who does not finish")};
    bell later;
    static_cast<void>(co_await wait(later, after(now(), std::chrono::milliseconds(5))));
  }
}

}  // namespace leasehold::inline v0_1::rabbitmq
