// leasehold::mutex wears the standard library's interface: the same guards, now across processes.
#include <leasehold/leasehold.hpp>

#include <chrono>
#include <iostream>
#include <mutex>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  leasehold::mutex from(locks, "account/1");
  leasehold::mutex to(locks, "account/2");

  int balance = 0;
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 100; ++n) {
        std::scoped_lock const both(from, to);  // never deadlocks, whatever the order
        ++balance;
      }
    });
  }
  threads.clear();  // joins
  std::cout << "balance " << balance << '\n';

  std::unique_lock guard(from, 200ms);
  if (!guard) return 1;
  std::cout << "token " << from.current().token() << '\n';
  return balance == 400 ? 0 : 1;
}
