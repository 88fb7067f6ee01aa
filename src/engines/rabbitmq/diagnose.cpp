// Decides what a health check asks of a broker, and what it cannot know.
#include "engines/rabbitmq/backend.hpp"
#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/timing.hpp"

#include <algorithm>
#include <string>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

using level = finding::level;

struct facts {
  std::string server;
  std::chrono::seconds heartbeat{};
  std::vector<duration> round_trips;
  pump::oddities odd;
};

spi::task<void> look_around(pump& p, std::shared_ptr<answer<result<facts>>> to) {
  if (auto const up = p.ensure_up(); !up) co_return to->give(up.get_failure());
  facts out;
  out.server = p.line().server();
  out.heartbeat = p.line().heartbeat();
  constexpr int pings = 50;
  for (int i = 0; i < pings; ++i) {
    auto const from = p.now();
    auto const ok = co_await p.barrier();
    if (!ok) co_return to->give(ok.get_failure());
    out.round_trips.push_back(p.now() - from);
  }
  auto const queue =
      exchange_of(p.where().prefix) + ".doctor";  // never there: whether the user may ask about queues at all
  auto const seen = co_await p.look(queue);
  if (!seen) co_return to->give(seen.get_failure());
  out.odd = p.odd;
  to->give(std::move(out));
}

std::string ms_of(duration d) {
  auto const us = std::chrono::duration_cast<std::chrono::microseconds>(d).count();
  auto text = std::to_string(us % 1000 / 10);
  return std::to_string(us / 1000) + "." + (text.size() < 2 ? "0" : "") + text + " ms";
}

finding round_trip(facts const& f) {
  auto sorted = f.round_trips;
  std::ranges::sort(sorted);
  auto const p50 = sorted[sorted.size() / 2];
  auto const most = sorted.back();
  auto const text = "p50 " + ms_of(p50) + ", longest " + ms_of(most) + " of " + std::to_string(sorted.size());
  if (most < f.heartbeat / 8) return {level::pass, "rabbitmq/round_trip", text, ""};
  return {level::warn, "rabbitmq/round_trip", text, "a larger heartbeat=, or a nearer broker"};
}

finding heartbeat(facts const& f, settings const& where) {
  auto const text = "every " + std::to_string(f.heartbeat.count()) + " s: a lease is good for up to " +
                    std::to_string(2 * f.heartbeat.count()) + " s, a machine that vanishes is noticed after " +
                    std::to_string(3 * f.heartbeat.count()) + " s";
  if (f.heartbeat == where.heartbeat) return {level::pass, "rabbitmq/heartbeat", text, ""};
  return {level::warn, "rabbitmq/heartbeat", text + "; the broker wants it oftener than asked for",
          "write heartbeat=" + std::to_string(f.heartbeat.count()) + "s"};
}

finding tokens(facts const& f) {
  auto const sum = f.odd.duplicates + f.odd.vanished + f.odd.foreign;
  if (sum == 0)
    return {level::pass, "rabbitmq/tokens", "no token was found twice, missing or strange by this store", ""};
  return {level::warn, "rabbitmq/tokens",
          "found by this store: twice " + std::to_string(f.odd.duplicates) + ", missing " +
              std::to_string(f.odd.vanished) + ", strange " + std::to_string(f.odd.foreign) + "; all set right",
          "racing first users and lost connections explain a few; else see who else uses these queues, and which "
          "policies match them"};
}

finding transport(settings const& where) {
  if (where.tls && where.verify)
    return {level::pass, "rabbitmq/transport", "TLS; the broker's certificate is checked", ""};
  if (where.tls)
    return {level::warn, "rabbitmq/transport", "TLS without a check of the certificate (insecure=1)",
            "leave insecure=1 out"};
  bool const here = std::ranges::all_of(where.hosts, [](auto const& h) {
    return h.host == "localhost" || h.host == "::1" || h.host.starts_with("127.");
  });
  if (here) return {level::pass, "rabbitmq/transport", "plain, to this machine", ""};
  return {level::warn, "rabbitmq/transport", "plain text over the network, password included", "use amqps:"};
}

}  // namespace

spi::task<std::vector<finding>> backend::diagnose() {
  auto& drive = co_await spi::this_driver();
  auto said = std::make_shared<answer<result<facts>>>();
  auto& p = *pump_;
  std::vector<finding> out;
  if (!p.post([&p, said] { p.spawn(look_around(p, said)); })) co_return out;
  auto const until = after(drive.now(), 2 * op_timeout_most);
  auto const got = co_await answer<result<facts>>::get(said, until);
  if (!got || !*got) {
    auto const why = got ? got->get_failure().details : no_answer(p.where()).details;
    out.push_back({level::fail, "rabbitmq/server", std::string(why.message()), std::string(why.hint())});
    co_return out;
  }
  auto const& f = **got;
  out.push_back({level::pass, "rabbitmq/server", f.server, ""});
  out.push_back(heartbeat(f, p.where()));
  out.push_back(round_trip(f));
  out.push_back(tokens(f));
  out.push_back(transport(p.where()));
  auto const minutes = std::chrono::duration_cast<std::chrono::seconds>(p.where().consumer_timeout).count();
  out.push_back({level::pass, "rabbitmq/unchecked",
                 "AMQP does not tell policies, partition handling and consumer_timeout (taken to be " +
                     std::to_string(minutes) + " s)",
                 ""});
  co_return out;
}

}  // namespace leasehold::inline v0_1::rabbitmq
