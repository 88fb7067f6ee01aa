// Decides how the suite drives `mem:`: through the public memory_engine, with its virtual time and its fault knobs.
#include "conformance/registry.hpp"
#include "conformance/thread_party.hpp"

#include <leasehold/memory.hpp>

#include <atomic>
#include <string>
#include <thread>

namespace leasehold::conformance {
namespace {

class mem_fixture final : public fixture {
 public:
  store client(open_options const& options) override { return engine_.connect(options); }
  void advance(duration by) override { engine_.advance(by); }
  [[nodiscard]] time_point now() const override { return engine_.now(); }
  [[nodiscard]] bool is_virtual() const override { return true; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return std::make_unique<thread_party>(*this, name, options);
  }
  bool pause(store const& client) override { return engine_.pause(client), true; }
  bool resume(store const& client) override { return engine_.resume(client), true; }
  bool lose_replies(store const& client, std::uint32_t n) override { return engine_.lose_replies(client, n), true; }
  bool lose_requests(store const& client, std::uint32_t n) override { return engine_.lose_requests(client, n), true; }
  bool forget() override { return engine_.forget(), true; }
  std::optional<std::uint64_t> requests() override { return engine_.requests(); }

 private:
  memory_engine engine_;
};

/// The engine that a URL opens: no knobs, and core's threads on the real clock.
class mem_real_fixture final : public fixture {
 public:
  store client(open_options const& options) override { return open(url_, options); }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view, party_options const&) override { return nullptr; }

 private:
  static std::string fresh_url() {
    static std::atomic<int> made = 0;
    return "mem:conformance-" + std::to_string(++made);
  }
  std::string const url_ = fresh_url();
};

}  // namespace

std::unique_ptr<fixture> make_mem_real() { return std::make_unique<mem_real_fixture>(); }

std::unique_ptr<fixture> make_mem() { return std::make_unique<mem_fixture>(); }

}  // namespace leasehold::conformance
