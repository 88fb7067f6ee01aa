// Decides what the health check says about accounts and containers, well and ill.
#include "engines/cosmos/fake_test.hpp"

#include <algorithm>

namespace leasehold::test {
namespace {

class cosmos_doctor : public cosmos_test {
 protected:
  std::optional<finding> find(std::string_view id, std::string_view query = "&lazy=1") {
    auto const all = client(query).diagnose();
    auto const at = std::ranges::find(all, id, &finding::id);
    return at == all.end() ? std::nullopt : std::optional(*at);
  }
};

TEST_F(cosmos_doctor, a_good_container_passes_and_tells_what_a_lock_costs) {
  auto const all = client().diagnose();
  for (auto const& f : all) {
    EXPECT_NE(f.severity, finding::level::fail) << f.id << ": " << f.text;
    if (f.id != "cosmos/tls") {
      EXPECT_EQ(f.severity, finding::level::pass) << f.id << ": " << f.text;
    }
  }
  auto const ru = find("cosmos/ru");
  ASSERT_TRUE(ru);
  EXPECT_NE(ru->text.find("renew 10.5, release 10.5"), std::string::npos) << ru->text;
  EXPECT_EQ(client().inspect("leasehold-doctor").state, lock_state::free);
}

TEST_F(cosmos_doctor, what_is_wrong_is_named_with_a_remedy) {
  service_.regions = {"West", "East"};
  EXPECT_EQ(find("cosmos/regions")->severity, finding::level::warn);
  EXPECT_EQ(find("cosmos/grant")->severity, finding::level::warn) << "probation";
  service_.several_write_regions = true;
  EXPECT_EQ(find("cosmos/account")->severity, finding::level::fail);
  service_.several_write_regions = false;
  service_.regions = {"West"};
  service_.clock_offset_s = 3600;
  EXPECT_EQ(find("cosmos/clock")->severity, finding::level::warn);
  service_.clock_offset_s = 0;
  service_.partition_key = "/tenant";
  EXPECT_EQ(find("cosmos/container")->severity, finding::level::fail);
  service_.has_container = false;
  auto const none = find("cosmos/container");
  EXPECT_EQ(none->severity, finding::level::fail);
  EXPECT_NE(none->remedy.find("leasehold init"), std::string::npos);
  front_.pause();
  EXPECT_EQ(find("cosmos/account")->severity, finding::level::fail);
}

}  // namespace
}  // namespace leasehold::test
