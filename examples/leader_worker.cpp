// Many workers, many tasks: each task has one worker at a time, and nobody hands them out. (Threads here; processes
// work alike.)
#include <leasehold/leasehold.hpp>

#include <array>
#include <atomic>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t tasks = 20;
constexpr int workers = 4;

std::array<std::atomic<bool>, tasks> done;
std::array<std::atomic<int>, tasks> runs;

void worker(leasehold::store const& locks, int number) {
  for (std::size_t task = 0; task < tasks; ++task) {
    auto lease = locks.try_acquire("task/" + std::to_string(task), {.reason = "worker " + std::to_string(number)});
    if (!lease) continue;      // another worker has it
    if (done[task]) continue;  // another worker had it; looked at under the lock
    ++runs[task];
    done[task] = true;
  }
}

}  // namespace

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  std::vector<std::jthread> crew;
  for (int number = 0; number < workers; ++number) crew.emplace_back([&, number] { worker(locks, number); });
  crew.clear();  // joins

  for (auto const& count : runs) {
    if (count != 1) return 1;
  }
  std::cout << tasks << " tasks, each done by one of " << workers << " workers\n";
}
