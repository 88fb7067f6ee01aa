// Readers share a name with each other, a writer with nobody.
#include <leasehold/leasehold.hpp>

#include <iostream>

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  constexpr auto reader = leasehold::mode::reader();

  auto first = locks.try_acquire("catalogue", {.mode = reader});
  auto second = locks.try_acquire("catalogue", {.mode = reader});
  if (!first || !second) return 1;
  std::cout << "two readers at once\n";

  if (locks.try_acquire("catalogue")) return 1;
  std::cout << "no writer beside them\n";

  first->release();
  second->release();
  leasehold::lease const writer = locks.acquire("catalogue");
  if (locks.try_acquire("catalogue", {.mode = reader})) return 1;
  std::cout << "and no reader beside a writer\n";
}
