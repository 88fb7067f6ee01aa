// Decides how the suite drives `redis:`: a server of its own, each client behind a relay of its own that can pause, lose and count;
// real time, and real processes to be stopped and killed.
#include "conformance/process_party.hpp"
#include "conformance/registry.hpp"
#include "support/fault_proxy.hpp"
#include "support/redis_server.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace leasehold::conformance {
namespace {

class redis_fixture final : public fixture {
 public:
  redis_fixture() {
    initialize(server_.url());
    // A script that the server does not know yet takes two requests; those that tests lose are to be the ones that count.
    auto warm = open(server_.url()).acquire("warm-up");
    warm.renew();
    warm.release();
  }
  store client(open_options const& options) override { return open(new_proxy(), options); }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return start_process_party(server_.url(), name, options);
  }
  bool pause(store const& client) override { return proxy_of(client).pause(), true; }
  bool resume(store const& client) override { return proxy_of(client).resume(), true; }
  // A request whose connection broke is sent once more by the engine itself, so a loss that is to be seen takes two.
  bool lose_replies(store const& client, std::uint32_t n) override {
    return proxy_of(client).lose_replies(2 * std::int64_t{n}), true;
  }
  bool lose_requests(store const& client, std::uint32_t n) override {
    return proxy_of(client).lose_requests(2 * std::int64_t{n}), true;
  }
  std::optional<std::uint64_t> requests() override {
    std::lock_guard const hold(guard_);
    std::uint64_t all = 0;
    for (auto const& [url, proxy] : proxies_) all += proxy->requests();
    return all;
  }
  /// All locks are gone; an operator says that nothing is held, or the guard would make everybody wait.
  bool forget() override {
    server_.command({"FLUSHALL"});
    initialize(server_.url());
    return true;
  }

 private:
  std::string new_proxy() {
    std::lock_guard const hold(guard_);
    auto const socket = (server_.folder() / ("p" + std::to_string(proxies_.size()))).string();
    auto url = "redis+unix://" + socket;
    proxies_.emplace(redacted(url), std::make_unique<test::fault_proxy>(socket, server_.socket()));
    return url;
  }
  test::fault_proxy& proxy_of(store const& client) {
    std::lock_guard const hold(guard_);
    return *proxies_.at(client.url());
  }

  test::redis_server server_;
  std::mutex guard_;
  std::map<std::string, std::unique_ptr<test::fault_proxy>> proxies_;  // by the URL of their one client
};

}  // namespace

std::unique_ptr<fixture> make_redis() {
  if (!test::redis_server::is_installed()) return nullptr;
  return std::make_unique<redis_fixture>();
}

}  // namespace leasehold::conformance
