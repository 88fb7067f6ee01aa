// A lease can be lost. The holder is told by a std::stop_token, at the latest at the deadline, and can ask at any time.
#include <leasehold/leasehold.hpp>

#include <chrono>
#include <future>
#include <iostream>
#include <stop_token>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");

  // Nobody renews this one, as if the engine could not be reached for a whole TTL.
  leasehold::lease const lease = locks.acquire("device", {.ttl = 300ms, .renew = leasehold::renewal::manual});

  std::promise<void> cancelled;
  std::stop_callback const on_lost(lease.lost(), [&] { cancelled.set_value(); });  // runs on a thread of the store's

  lease.checkpoint();  // fine: held
  cancelled.get_future().wait();
  std::cout << "told of the loss: " << lease.error().message() << '\n';

  try {
    lease.checkpoint();
    return 1;
  } catch (leasehold::lease_lost const& e) {
    std::cout << "and every checkpoint throws: " << e.what() << '\n';
  }
}
