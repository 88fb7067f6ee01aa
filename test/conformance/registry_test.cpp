// Decides that no engine dodges the suite.
#include "conformance/suite.hpp"

#include <filesystem>
#include <set>

namespace leasehold::conformance {
namespace {

TEST(registry, REGISTRY_1_every_engine_folder_is_registered) {
  std::set<std::string> registered;
  for (auto const& e : registry()) registered.insert(std::string(e.folder));
  std::size_t folders = 0;
  for (auto const& entry : std::filesystem::directory_iterator(LEASEHOLD_ENGINES_FOLDER)) {
    auto const name = entry.path().filename().string();
    if (!entry.is_directory() || name == "net") continue;
    ++folders;
    EXPECT_TRUE(registered.contains(name)) << "src/engines/" << name << " has no fixture in test/conformance";
  }
  EXPECT_GT(folders, 0U);
}

INSTANTIATE_TEST_SUITE_P(, conformance, testing::ValuesIn(registry()),
                         [](auto const& which) { return std::string(which.param.label); });

}  // namespace
}  // namespace leasehold::conformance
