// Decides how the suite drives `cosmos:`: a service of its own, each client behind a server of its own that can pause, lose and count;
// real time, and real processes to be stopped and killed. The service is our strict fake, or what LEASEHOLD_TEST_COSMOS names: the npm
// "emulator", or the real account of LEASEHOLD_TEST_COSMOS_URL.
#include "conformance/process_party.hpp"
#include "conformance/registry.hpp"
#include "support/http_server.hpp"
#include "support/node_cosmos.hpp"

#if defined(LEASEHOLD_WITH_COSMOS)
#include "support/fake_cosmos.hpp"
#endif

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace leasehold::conformance {
namespace {

#if defined(LEASEHOLD_WITH_COSMOS)

class cosmos_fixture final : public fixture {
 public:
  explicit cosmos_fixture(test::node_cosmos* emulator) : emulator_(emulator) {
    initialize(new_front());
    open(new_front()).acquire("warm-up").release();
  }
  store client(open_options const& options) override { return open(new_front(), options); }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return start_process_party(new_front(), name, options);
  }
  bool pause(store const& client) override { return front_of(client).pause(), true; }
  bool resume(store const& client) override { return front_of(client).resume(), true; }
  // A request whose connection broke is sent once more by the engine itself, so a loss that is to be seen takes two.
  bool lose_replies(store const& client, std::uint32_t n) override {
    return front_of(client).lose_replies(2 * std::int64_t{n}), true;
  }
  bool lose_requests(store const& client, std::uint32_t n) override {
    return front_of(client).lose_requests(2 * std::int64_t{n}), true;
  }
  std::optional<std::uint64_t> requests() override {
    std::lock_guard const hold(guard_);
    std::uint64_t all = 0;
    for (auto const& [url, front] : fronts_) all += front->requests();
    return all;
  }
  /// Somebody deletes all documents. What is made anew takes its tokens from the service's clock, which has a grain of a second.
  bool forget() override {
    if (emulator_) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    fake_.clear();
    return true;
  }
  [[nodiscard]] bool shows_waiters() const override { return false; }
  [[nodiscard]] duration notice() const override { return 3 * ttl(); }
  /// A request may take a quarter of it: the emulator is another process, and slow on a busy machine.
  [[nodiscard]] duration ttl() const override {
    return emulator_ != nullptr ? std::chrono::seconds(2) : fixture::ttl();
  }

 private:
  std::string new_front() {
    std::lock_guard const hold(guard_);
    auto front = std::make_unique<test::http_server>(emulator_ ? test::forward_to(emulator_->port()) : fake_.handler());
    auto url = test::fake_cosmos::url(front->port(), emulator_ != nullptr ? container_ : "locks");
    fronts_.emplace(redacted(url), std::move(front));
    return url;
  }
  test::http_server& front_of(store const& client) {
    std::lock_guard const hold(guard_);
    return *fronts_.at(client.url());
  }

  test::fake_cosmos fake_;
  test::node_cosmos* const emulator_;  // of all tests of a run, each with a container of its own
  std::string const container_ = "locks" + std::to_string(runs_++);
  static inline int runs_ = 0;
  std::mutex guard_;
  std::map<std::string, std::unique_ptr<test::http_server>> fronts_;  // by the URL of their one client
};

#endif

#if defined(LEASEHOLD_WITH_COSMOS)

/// A real account: nothing comes in between, and the names of each test are its own.
class cosmos_account_fixture final : public fixture {
 public:
  explicit cosmos_account_fixture(std::string url) : url_(std::move(url)) { initialize(url_); }
  store client(open_options const& options) override {
    auto own = options;
    auto const space = names_ + std::string(options.name_space);
    own.name_space = space;
    return open(url_, own);
  }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return start_process_party(url_, names_ + std::string(name), options);
  }
  [[nodiscard]] bool shows_waiters() const override { return false; }
  [[nodiscard]] duration notice() const override { return 3 * ttl(); }
  [[nodiscard]] duration ttl() const override { return std::chrono::seconds(4); }  // round trips over the internet

 private:
  std::string const url_;
  std::string const names_ = "conformance/" + std::to_string(clock::now().time_since_epoch().count()) + "/";
};

#endif

}  // namespace

std::unique_ptr<fixture> make_cosmos() {
#if defined(LEASEHOLD_WITH_COSMOS)
  if (char const* const url = std::getenv("LEASEHOLD_TEST_COSMOS_URL"))
    return std::make_unique<cosmos_account_fixture>(url);
  char const* const chosen = std::getenv("LEASEHOLD_TEST_COSMOS");
  bool const on_emulator = chosen != nullptr && std::string_view(chosen) == "emulator";
  if (!on_emulator) return std::make_unique<cosmos_fixture>(nullptr);
  if (!test::node_cosmos::missing().empty()) return nullptr;
  static test::node_cosmos emulator;
  return std::make_unique<cosmos_fixture>(&emulator);
#else
  return nullptr;
#endif
}

}  // namespace leasehold::conformance
