// Decides what a dependent's first program needs of an installed leasehold: that it compiles, links, runs and throws.
#include <leasehold/leasehold.hpp>

#include <cstdio>
#include <mutex>

using namespace std::chrono_literals;

int main() {
  leasehold::memory_engine const engine;
  leasehold::store const us = engine.connect();
  leasehold::store const them = engine.connect();

  auto held = us.try_acquire("invoice/42", {.ttl = 10s});
  if (!held || !held->held()) return 1;
  if (them.try_acquire("invoice/42", {.ttl = 10s})) return 2;
  held->release();

  leasehold::mutex invoice(them, "invoice/42", {.ttl = 10s});
  std::unique_lock const guard(invoice);
  if (!guard.owns_lock()) return 3;

  try {  // an exception type must be the same one on both sides of a shared library
    static_cast<void>(leasehold::open("no-such-scheme:"));
    return 4;
  } catch (leasehold::error const& e) {
    if (e.code() != leasehold::errc::bad_option) return 5;
  }
  std::printf("leasehold %s\n", LEASEHOLD_VERSION_STRING);
}
