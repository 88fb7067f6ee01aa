// Decides how the suite drives `local:`: a store file of its own, real time, and real processes to be stopped and killed.
#include "conformance/process_party.hpp"
#include "conformance/registry.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

namespace leasehold::conformance {
namespace {

class local_fixture final : public fixture {
 public:
  local_fixture() {
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-conformance-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
    folder_ = pattern;
    url_ = "local:" + pattern + "/store";
  }
  ~local_fixture() override {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  store client(open_options const& options) override { return open(url_, options); }
  void advance(duration by) override { std::this_thread::sleep_for(by); }
  [[nodiscard]] time_point now() const override { return clock::now(); }
  [[nodiscard]] bool is_virtual() const override { return false; }
  std::unique_ptr<party> start_party(std::string_view name, party_options const& options) override {
    return start_process_party(url_, name, options);
  }

 private:
  std::filesystem::path folder_;
  std::string url_;
};

}  // namespace

std::unique_ptr<fixture> make_local() { return std::make_unique<local_fixture>(); }

}  // namespace leasehold::conformance
