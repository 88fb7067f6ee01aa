// At most three at once: a counted lock, across threads and processes.
#include <leasehold/leasehold.hpp>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <thread>
#include <vector>

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  constexpr auto three = leasehold::mode::semaphore(3);

  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::vector<std::jthread> callers;
  for (int i = 0; i < 8; ++i) {
    callers.emplace_back([&] {
      leasehold::lease const permit = locks.acquire("licence", {.mode = three});
      int const now = ++inside;
      for (int seen = most; seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      std::this_thread::yield();
      --inside;
    });
  }
  callers.clear();  // joins
  std::cout << "at most " << most << " of 8 at once\n";
  return most <= 3 ? 0 : 1;
}
