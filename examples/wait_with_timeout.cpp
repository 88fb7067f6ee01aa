// Waits in line for a bounded time; the failure says who was in the way. A stop token ends a wait early.
#include <leasehold/leasehold.hpp>

#include <chrono>
#include <iostream>
#include <stop_token>
#include <thread>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  leasehold::lease held = locks.acquire("report", {.identity = "the night job"});

  try {
    leasehold::lease const never = locks.acquire("report", {.wait = 50ms});
    return 1;
  } catch (leasehold::error const& e) {
    if (e.code() != leasehold::errc::timed_out) throw;
    std::cout << "not within 50 ms";
    if (auto const* holder = e.details().holder()) std::cout << "; held by " << holder->identity;
    std::cout << '\n';
  }

  std::stop_source stop;
  std::jthread const operator_thread([&] { stop.request_stop(); });
  std::error_code ec;
  leasehold::lease const stopped = locks.acquire("report", {}, stop.get_token(), ec);
  if (ec != leasehold::errc::cancelled) return 1;
  std::cout << "stopped waiting: " << ec.message() << '\n';

  std::jthread const releaser([&] { held.release(); });
  leasehold::lease const mine = locks.acquire("report", {.wait = 10s});
  std::cout << "mine after its release\n";
}
