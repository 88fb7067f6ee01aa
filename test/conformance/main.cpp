// Decides whether this process is the suite, a share of it, or a party to one of its tests.
#include "conformance/process_party.hpp"
#include "support/rabbitmq_broker.hpp"

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  if (auto const code = leasehold::conformance::play_party(argc, argv)) return *code;
  if (auto const code = leasehold::test::run_in_shards(argv)) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
