// Decides which benchmarks run and with what settings.
#include "benchmarks.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace {

using namespace bench;

constexpr benchmark all[] = {
    {"local/pair/mutex", pair_mutex},
    {"local/pair/by_name", pair_by_name},
    {"local/shared/pair", pair_shared},
    {"local/handoff", handoff},
    {"local/waiters", waiters},
    {"local/held", held},
    {"local/kill", kill_holder},
    {"run/startup", startup},
    {"election/failover/local", election_failover},
#ifdef LEASEHOLD_BENCH_REDIS
    {"redis/pair/blocking", redis_pair},
    {"redis/pair/asio", redis_asio},
    {"redis/threads", redis_threads},
    {"redis/throughput", redis_throughput},
    {"redis/handoff", redis_handoff},
    {"redis/fairness", redis_fairness},
    {"redis/held", redis_held},
    {"redis/takeover", redis_takeover},
    {"redis/faults", redis_faults},
    {"election/failover/redis", redis_election_failover},
    {"redlock/pair", redlock_pair},
    {"redlock/throughput/64", redlock_throughput},
    {"redlock/one_frozen", redlock_one_frozen},
    {"redlock/takeover", redlock_takeover},
#endif
#ifdef LEASEHOLD_BENCH_COSMOS
    {"cosmos/pair", cosmos_pair},
    {"cosmos/ru", cosmos_ru},
#endif
};

constexpr auto usage =
    "usage: leasehold_bench [AREA|ID-PREFIX…] [--runs N] [--out DIR] [--quick] [--cli PATH] [--list]\n"
    "Prints a table and writes DIR/<area>.json (default build/bench). Missed goals do not fail it.\n";

struct bad_usage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The command beside this program, in the build directories above it, or where `./dev build` leaves it.
std::filesystem::path find_cli() {
  namespace fs = std::filesystem;
  std::error_code ec;
  auto const here = fs::read_symlink("/proc/self/exe", ec).parent_path();
  for (auto const& candidate :
       {here / "leasehold", here / "../src/cli/leasehold", here / "../leasehold", fs::path("build/leasehold")}) {
    if (fs::is_regular_file(candidate, ec) && access(candidate.c_str(), X_OK) == 0) return fs::canonical(candidate, ec);
  }
  return {};
}

unsigned parse_runs(std::string_view text) {
  unsigned value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > 1000) {
    throw bad_usage("--runs wants a number from 1 to 1000, not '" + std::string(text) + "'");
  }
  return value;
}

bool names(std::string_view wanted, benchmark const& b) {
  return b.id.starts_with(wanted) || wanted.starts_with(std::string(b.id) + "/");
}

settings parse(std::vector<std::string_view> const& words) {
  settings how;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto const word = words[i];
    auto const value = [&] {
      if (i + 1 == words.size()) throw bad_usage(std::string(word) + " wants a value");
      return words[++i];
    };
    if (word == "--runs") {
      how.runs = parse_runs(value());
    } else if (word == "--out") {
      how.out = value();
    } else if (word == "--cli") {
      how.cli = value();
    } else if (word == "--quick") {
      how.quick = true;
    } else if (word.starts_with("-")) {
      throw bad_usage("unknown option " + std::string(word));
    } else if (std::none_of(std::begin(all), std::end(all), [&](auto const& b) { return names(word, b); })) {
      throw bad_usage("no benchmark is called " + std::string(word) + " (see --list)");
    } else {
      how.only.emplace_back(word);
    }
  }
  if (how.cli.empty()) how.cli = find_cli();
  return how;
}

bool is_wanted(settings const& how, benchmark const& b) {
  return how.only.empty() ||
         std::any_of(how.only.begin(), how.only.end(), [&](auto const& word) { return names(word, b); });
}

/// Returns how many failed to run.
int run(settings const& how) {
  std::vector<row> rows;
  int failed = 0;
  for (auto const& b : all) {
    if (!is_wanted(how, b)) continue;
    try {
      for (auto& r : b.run(how)) rows.push_back(std::move(r));
    } catch (skipped const& why) {
      std::printf("%s: skipped: %s\n", std::string(b.id).c_str(), why.what());
    } catch (std::exception const& e) {
      std::printf("%s: failed: %s\n", std::string(b.id).c_str(), e.what());
      ++failed;
    }
  }
  print_table(rows);
  write_json(rows, how.out);
  return failed;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string_view> const words(argv + 1, argv + argc);
  auto const has = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
  try {
    if (has("--help") || has("-h")) {
      std::fputs(usage, stdout);
    } else if (has("--list")) {
      for (auto const& b : all) std::printf("%s\n", std::string(b.id).c_str());
    } else {
      return run(parse(words)) == 0 ? 0 : 1;
    }
    return 0;
  } catch (bad_usage const& e) {
    std::fprintf(stderr, "leasehold_bench: %s\n%s", e.what(), usage);
    return 64;
  } catch (std::exception const& e) {
    std::fprintf(stderr, "leasehold_bench: %s\n", e.what());
    return 1;
  }
}
