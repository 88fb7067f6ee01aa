// Decides how the suite drives `redlock:`: three servers of its own, each client behind relays of its own, one for each server, that
// pause, lose and count together; real time, and real processes to be stopped and killed.
#include "conformance/process_party.hpp"
#include "conformance/registry.hpp"
#include "support/fault_proxy.hpp"
#include "support/redis_server.hpp"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace leasehold::conformance {
namespace {

constexpr std::size_t node_count = 3;
using relays = std::vector<std::unique_ptr<test::fault_proxy>>;

std::string as_node(std::string const& socket) {
  std::string out = "&node=redis%2Bunix://";
  return out + socket;
}

class redlock_fixture final : public fixture {
 public:
  redlock_fixture() {
    initialize(direct_url());
    // A script that a server does not know yet takes two requests; those that tests lose are to be the ones that count.
    auto warm = open(direct_url()).acquire("warm-up");
    warm.renew();
    warm.release();
  }
  store client(open_options const& options) override { return open(new_relays(), options); }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return start_process_party(direct_url(), name, options);
  }
  bool pause(store const& client) override {
    for (auto const& r : relays_of(client)) r->pause();
    return true;
  }
  bool resume(store const& client) override {
    for (auto const& r : relays_of(client)) r->resume();
    return true;
  }
  // A request whose connection broke is sent once more by the engine itself, so a loss that is to be seen takes two.
  bool lose_replies(store const& client, std::uint32_t n) override {
    for (auto const& r : relays_of(client)) r->lose_replies(2 * std::int64_t{n});
    return true;
  }
  bool lose_requests(store const& client, std::uint32_t n) override {
    for (auto const& r : relays_of(client)) r->lose_requests(2 * std::int64_t{n});
    return true;
  }
  std::optional<std::uint64_t> requests() override {
    std::lock_guard const hold(guard_);
    std::uint64_t all = 0;
    for (auto const& [url, some] : relays_) {
      for (auto const& r : some) all += r->requests();
    }
    return all / node_count;
  }
  bool forget() override {
    for (auto& s : servers_) s.command({"FLUSHALL"});
    initialize(direct_url());
    return true;
  }

 private:
  /// All of them mean the same nodes, whichever way they reach them.
  static std::string url_of(std::string const& max_ttl) { return "redlock:?list=suite&max_ttl=" + max_ttl; }
  std::string direct_url() {
    auto out = url_of("60s");
    for (auto const& s : servers_) out += as_node(s.socket());
    return out;
  }
  /// A URL shows no node, so each client's differs in what it can grant.
  std::string new_relays() {
    std::lock_guard const hold(guard_);
    auto const number = relays_.size();
    auto url = url_of(std::to_string(60'000 - 1 - number) + "ms");
    relays some;
    for (auto const& s : servers_) {
      auto const socket = (s.folder() / ("p" + std::to_string(number))).string();
      url += as_node(socket);
      some.push_back(std::make_unique<test::fault_proxy>(socket, s.socket()));
    }
    relays_.emplace(redacted(url), std::move(some));
    return url;
  }
  relays& relays_of(store const& client) {
    std::lock_guard const hold(guard_);
    return relays_.at(client.url());
  }

  std::array<test::redis_server, node_count> servers_;
  std::mutex guard_;
  std::map<std::string, relays> relays_;  // by the URL of their one client
};

}  // namespace

std::unique_ptr<fixture> make_redlock() {
  if (!test::redis_server::is_installed()) return nullptr;
  return std::make_unique<redlock_fixture>();
}

}  // namespace leasehold::conformance
