// Hands a lease on: detach gives a ticket, and whoever has it (this process or another) takes the lease up again.
#include <leasehold/leasehold.hpp>

#include <chrono>
#include <iostream>
#include <string>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");

  leasehold::lease starter = locks.acquire("deploy", {.ttl = 30s});
  auto const token = starter.token();
  std::string const ticket = starter.detach();  // a secret; nobody renews until it is adopted
  if (starter) return 1;
  if (locks.try_acquire("deploy")) return 1;  // still held: until the deadline

  leasehold::lease finisher = locks.adopt("deploy", ticket, {.ttl = 30s});
  std::cout << "adopted with token " << finisher.token() << " (was " << token << ")\n";
  finisher.release();

  std::error_code ec;
  leasehold::lease const too_late = locks.adopt("deploy", ticket, {.ttl = 30s}, ec);
  if (ec != leasehold::errc::lost) return 1;
  std::cout << "a used ticket is worth nothing: " << ec.message() << '\n';
}
