// A holder that slept past its lease writes late; the fenced log knows its record is void, without asking any clock.
#include <leasehold/leasehold.hpp>

#include <iostream>
#include <span>
#include <string>
#include <string_view>

namespace {
std::span<std::byte const> bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
}  // namespace

int main(int argc, char** argv) {
  leasehold::store const locks = leasehold::open(argc > 1 ? argv[1] : "local:");
  auto results = leasehold::fenced_log::open("results.log").value();

  // The first holder takes the name, and then is away for too long. (Here: it gives it back, but keeps the old token.)
  leasehold::lease slow = locks.acquire("invoice/42");
  auto const old_token = slow.token();
  slow.release();

  // Its successor has a larger token by contract, and writes.
  leasehold::lease const next = locks.acquire("invoice/42");
  results.append("invoice/42", next.token(), bytes("paid once")).value();

  // The first one wakes up and writes as if nothing had happened.
  results.append("invoice/42", old_token, bytes("paid twice?")).value();

  int valid = 0;
  for (auto const& record : results.read().value().records) {
    std::string const text(reinterpret_cast<char const*>(record.payload.data()), record.payload.size());
    std::cout << (record.is_void ? "void   " : "valid  ") << "token " << record.token << ": " << text << '\n';
    if (!record.is_void) ++valid;
  }
  return valid == 1 ? 0 : 1;
}
