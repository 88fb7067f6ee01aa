// One try: busy is an answer, not an error.
#include <leasehold/leasehold.hpp>

#include <iostream>

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");

  if (auto lease = locks.try_acquire("invoice/42", {.reason = "monthly run"})) {
    std::cout << "mine, with token " << lease->token() << '\n';

    auto second = locks.try_acquire("invoice/42");
    if (second) return 1;  // it is exclusive, within one process too
    if (auto const* holder = second.holder()) {
      std::cout << "busy: held by " << holder->identity << " for \"" << holder->reason << "\"\n";
    }
  }  // released here

  if (!locks.try_acquire("invoice/42")) return 1;
  std::cout << "free again\n";
}
