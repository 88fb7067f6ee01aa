// Decides how the suite drives `amqp:`: one broker for all its tests, each with names of its own and each client behind a relay of its
// own; real time, and real processes to be stopped and killed.
#include "conformance/process_party.hpp"
#include "conformance/registry.hpp"
#include "support/rabbitmq_broker.hpp"
#include "support/tcp_relay.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace leasehold::conformance {
namespace {

using namespace std::chrono_literals;

class rabbitmq_fixture final : public fixture {
 public:
  store client(open_options const& options) override {
    auto relay = std::make_unique<test::tcp_relay>(broker_.port());
    auto const url = test::rabbitmq_broker::url_at(relay->port(), query());
    auto out = open(url, options);
    std::lock_guard const hold(guard_);
    relays_.emplace(redacted(url), std::move(relay));
    return out;
  }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return start_process_party(broker_.url(query()), name, options);
  }
  bool pause(store const& client) override { return relay_of(client).pause(), true; }
  bool resume(store const& client) override { return relay_of(client).resume(), true; }
  [[nodiscard]] duration ttl() const override { return 1s; }
  [[nodiscard]] duration ttl_long() const override { return 4s; }
  /// The broker drops who is silent after three heartbeats; whoever comes next waits out the old lease by himself.
  [[nodiscard]] duration frozen_limit() const override { return 3 * heartbeat + 500ms; }
  [[nodiscard]] bool keeps_leases_of_the_dead() const override { return false; }

 private:
  static constexpr duration heartbeat = 2s;
  [[nodiscard]] std::string query() const { return "heartbeat=2&consumer_timeout=6s&prefix=" + prefix_; }
  test::tcp_relay& relay_of(store const& client) {
    std::lock_guard const hold(guard_);
    return *relays_.at(client.url());
  }

  test::rabbitmq_broker& broker_ = test::rabbitmq_broker::get();
  std::string const prefix_ = test::rabbitmq_broker::new_prefix();
  std::mutex guard_;
  std::map<std::string, std::unique_ptr<test::tcp_relay>> relays_;  // by the URL of their one client
};

}  // namespace

std::unique_ptr<fixture> make_rabbitmq() {
  if (!test::rabbitmq_broker::is_installed()) return nullptr;
  return std::make_unique<rabbitmq_fixture>();
}

}  // namespace leasehold::conformance
