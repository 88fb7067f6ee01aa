// A unit test of code that uses locks: an engine inside the process, with virtual time and faults on demand. No
// sleeping.
#include <leasehold/leasehold.hpp>

#include <chrono>
#include <cstdlib>
#include <iostream>

using namespace std::chrono_literals;

namespace {

// The code under test: does nothing unless it is the only one.
bool nightly_job(leasehold::store const& locks) {
  auto lease = locks.try_acquire("nightly", {.ttl = 10s});
  return lease && lease->held();
}

void expect(bool ok, char const* what) {
  std::cout << (ok ? "ok    " : "FAIL  ") << what << '\n';
  if (!ok) std::exit(1);
}

}  // namespace

int main() {
  leasehold::memory_engine const engine;
  leasehold::store const ours = engine.connect();
  leasehold::store const theirs = engine.connect();
  expect(nightly_job(ours), "runs when it is alone");

  leasehold::lease const other = theirs.acquire("nightly", {.ttl = 10s});
  expect(!nightly_job(ours), "does not run beside another");

  engine.advance(1h);
  expect(other.held() && !nightly_job(ours), "nor an hour later: leases are renewed");

  engine.pause(theirs);  // its renewals do not arrive any more
  engine.advance(11s);
  expect(!other.held(), "the other one knows that it has lost its lease");
  expect(nightly_job(ours), "and the job runs");

  engine.fail(ours, leasehold::errc::unavailable);
  try {
    (void)nightly_job(ours);
    expect(false, "an unreachable engine is an error");
  } catch (leasehold::error const& e) {
    expect(e.code() == leasehold::errc::unavailable, "an unreachable engine is an error");
  }
}
