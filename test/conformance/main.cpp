// Decides whether this process is the suite, or a party to one of its tests.
#include "conformance/process_party.hpp"

#include <gtest/gtest.h>

int main(int argc, char** argv) {
  if (auto const code = leasehold::conformance::play_party(argc, argv)) return *code;
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
