#include "engines/rabbitmq/seat.hpp"

#include <sys/random.h>

#include <array>

namespace leasehold::inline v0_1::rabbitmq {

std::string new_id() {
  std::array<unsigned char, 16> bits{};
  std::size_t have = 0;
  while (have < bits.size()) {
    auto const n = ::getrandom(bits.data() + have, bits.size() - have, 0);
    if (n > 0) have += static_cast<std::size_t>(n);
  }
  std::string out;
  for (auto const b : bits) out += {"0123456789abcdef"[b >> 4], "0123456789abcdef"[b & 15]};
  return out;
}

void seat::become(rabbitmq::phase p) {
  std::lock_guard const hold(guard);
  if (now == phase::gone) return;
  now = p;
  if (waker) waker->wake();
}

void seat::end(std::optional<failure> reason) {
  std::lock_guard const hold(guard);
  if (now != phase::gone) why = std::move(reason);
  now = phase::gone;
  if (waker) waker->wake();
}

void seat::note_left(std::optional<failure> as) {
  std::lock_guard const hold(guard);
  now = phase::gone;
  if (!left) left_as = std::move(as);
  left = true;
  if (waker) waker->wake();
}

bool seat::lose(failure const& reason) {
  std::lock_guard const hold(guard);
  bool const was_held = now == phase::held;
  if (was_held && revoked) revoked->store(true, std::memory_order_release);
  if (now != phase::gone) why = reason;
  now = phase::gone;
  if (waker) waker->wake();
  return was_held;
}

bool seat::lose_with_connection() {
  return lose({make_error_code(errc::unavailable),
               diagnostics("the connection to the broker broke, and with it the place in line")});
}

bool seat::lose_with_queue() {
  cancelled = true;
  return lose({make_error_code(errc::unavailable),
               diagnostics("somebody deleted the queue of lock " + name, "ask again: it is made anew")});
}

}  // namespace leasehold::inline v0_1::rabbitmq
