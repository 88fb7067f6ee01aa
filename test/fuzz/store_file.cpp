// Fuzzes the local engine's file: a store in use with some bytes changed, or any file at all, gives typed errors or answers.
#include "engines/local/layout.hpp"
#include "engines/local/view.hpp"
#include "fuzz/target.hpp"

#include <leasehold/store.hpp>

#include <array>
#include <fstream>
#include <iterator>
#include <memory>
#include <vector>

namespace {

using namespace leasehold;
using leasehold::fuzz::require;

constexpr std::uint64_t capacity = 1;
constexpr auto layout = local::geometry::of(capacity);

std::string url_of(leasehold::fuzz::scratch_file const& file) {
  return "local:" + file.path() + "?capacity=" + std::to_string(capacity);
}

/// The pages in use of a store that has holders, readers, a waiter, long texts and a hold-off.
std::string sound_store(leasehold::fuzz::scratch_file const& file) {
  ::unlink(file.path().c_str());
  auto const locks = open(url_of(file));
  std::vector<lease> held;
  std::string const long_text(700, 'r');
  held.push_back(locks.acquire("x", {.identity = "fuzz", .reason = long_text}));
  held.push_back(locks.acquire("timed", {.ttl = std::chrono::hours(1), .lock_delay = std::chrono::hours(1)}));
  held.push_back(locks.acquire("shared", {.mode = mode::reader()}));
  held.push_back(locks.acquire("shared", {.mode = mode::reader()}));
  held.push_back(locks.acquire("permits", {.mode = mode::semaphore(3)}));
  held.push_back(locks.acquire(std::string(255, 'n')));
  held.push_back(locks.acquire("off", {.hold_at_least = std::chrono::hours(1)}));
  held.pop_back();
  std::ifstream in(file.path(), std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Where a change is worth trying: the used part of each table, and once everything.
struct region {
  std::uint64_t at;
  std::uint64_t bytes;
};
constexpr std::array regions{
    region{0, sizeof(local::header)},
    region{layout.processes_at, 4 * sizeof(local::process)},
    region{layout.shards_at, sizeof(local::shard) * local::shard_count},
    region{layout.buckets_at, sizeof(local::u32) * layout.buckets* local::shard_count},
    region{layout.seats_at, 8 * sizeof(local::seat)},
    region{layout.records_at, sizeof(local::record) * layout.records},
    region{layout.blocks_at, 8 * sizeof(local::block)},
    region{0, layout.bytes},
};

/// A latch that a living process seems to hold is no damage: everybody would wait for it, a second a call.
bool is_latch(std::uint64_t at) {
  return at >= layout.shards_at && at < layout.buckets_at &&
         (at - layout.shards_at) % sizeof(local::shard) < sizeof(local::u32);
}

/// Four bytes a change: region, offset (two), new value.
void change(std::string& content, std::uint8_t const* data, std::size_t size) {
  for (; size >= 4; data += 4, size -= 4) {
    auto const& where = regions[data[0] % regions.size()];
    auto const offset = (std::uint64_t{data[1]} << 8 | data[2]) * 7919 % where.bytes;
    if (!is_latch(where.at + offset)) content[where.at + offset] = static_cast<char>(data[3]);
  }
}

void check(std::error_code code, diagnostics const& words) {
  if (!code) return;
  require(!code.message().empty(), "a typed error");
  require(code.category() != error_category() || code != errc::internal, "no broken invariant");
  static_cast<void>(words.message());
}

void use(std::string const& url) {
  std::error_code code;
  diagnostics words;
  auto const locks = open(url, {}, code, &words);
  check(code, words);
  if (!locks) return;
  check(locks.list("", std::nothrow).error(), {});
  for (auto const* name : {"x", "timed", "shared", "permits", "off", "new"}) {
    check(locks.inspect(name, std::nothrow).error(), {});
    auto const held = locks.acquire(name, {.wait = duration::zero()}, {}, code, &words);
    check(code, words);
    auto const waited = locks.acquire(name, {.wait = std::chrono::milliseconds(1)}, {}, code, &words);
    check(code, words);
    require(!(held && waited && held.held() && waited.held()), "never two holders of an exclusive name");
    check(locks.evict(name, 1, {.now = true}, std::nothrow).error(), {});
  }
  static_cast<void>(locks.diagnose());
}

}  // namespace

/// The first byte chooses: changes to a sound store, or the rest as the whole file.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  static leasehold::fuzz::scratch_file const file;
  static std::string const sound = sound_store(file);
  if (size == 0) return 0;
  auto content = data[0] % 2 == 0 ? sound : std::string(leasehold::fuzz::text_of(data + 1, size - 1));
  if (data[0] % 2 == 0) change(content, data + 1, size - 1);
  file.write(content);
  use(url_of(file));
  return 0;
}
