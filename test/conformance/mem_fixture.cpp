// Decides how the suite drives `mem:`: through the public memory_engine, with its virtual time and its fault knobs.
#include "conformance/registry.hpp"
#include "conformance/thread_party.hpp"

#include <leasehold/memory.hpp>

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

}  // namespace

std::unique_ptr<fixture> make_mem() { return std::make_unique<mem_fixture>(); }

}  // namespace leasehold::conformance
