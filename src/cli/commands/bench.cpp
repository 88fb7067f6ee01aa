// Decides what `leasehold bench` measures: clients that take and give back locks of a namespace of their own.
#include "base/durations.hpp"
#include "base/exit_code.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "commands/all.hpp"
#include "view/json.hpp"

#include <sys/random.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace leasehold::cli {

namespace {

constexpr option options[] = {
    {"clients", 0, "N", "how many compete, each with a connection of its own (default: 16)"},
    {"duration", 0, "DUR", "for how long (default: 10s)"},
    {"keys", 0, "N", "how many names they compete for (default: 1)"},
    {"ttl", 0, "DUR", "TTL of each lease (default: the store's)"},
};

/// A lock of the user's cannot be touched: nobody else uses this prefix.
std::string own_namespace() {
  unsigned long long random = 0;
  if (::getrandom(&random, sizeof random, 0) < 0) throw os_refused("getting random bytes", errno);
  char text[48];
  std::snprintf(text, sizeof text, "leasehold-bench/%016llx/", random);
  return text;
}

struct load {
  std::uint64_t keys;
  std::optional<duration> ttl;
  time_point end;
};

class measurement {
 public:
  measurement(invocation& call, std::string name_space) : call_(call), name_space_(std::move(name_space)) {}

  void run(std::uint64_t clients, load const& what) {
    std::vector<std::jthread> threads;
    for (std::uint64_t i = 0; i < clients; ++i) threads.emplace_back([this, i, &what] { client(i, what); });
    threads.clear();
    if (failure_) std::rethrow_exception(failure_);
    std::sort(waits_.begin(), waits_.end());
  }

  [[nodiscard]] std::size_t count() const { return waits_.size(); }
  [[nodiscard]] duration quantile(double q) const {
    if (waits_.empty()) return {};
    return waits_[std::min(waits_.size() - 1, static_cast<std::size_t>(q * static_cast<double>(waits_.size())))];
  }

 private:
  void client(std::uint64_t index, load const& what) {
    std::vector<duration> mine;
    try {
      auto opening = call_.open_options();
      opening.name_space = name_space_;
      auto const where = open(call_.choice().url, opening);
      auto before = clock::now();
      for (std::uint64_t turn = index; before < what.end; ++turn, before = clock::now()) {
        std::error_code ec;
        auto const name = "key" + std::to_string(turn % what.keys);
        auto held = where.acquire(name, {.ttl = what.ttl, .wait = what.end - before}, {}, ec);
        if (ec == errc::timed_out) break;
        if (ec) throw from_library(ec, {}, "acquiring");
        mine.push_back(clock::now() - before);
        held.release(ec);
      }
    } catch (...) {
      std::lock_guard const hold(guard_);
      failure_ = std::current_exception();
    }
    std::lock_guard const hold(guard_);
    waits_.insert(waits_.end(), mine.begin(), mine.end());
  }

  invocation& call_;
  std::string name_space_;
  std::mutex guard_;
  std::vector<duration> waits_;
  std::exception_ptr failure_;
};

std::string us(duration d) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", std::chrono::duration<double, std::micro>(d).count());
  return text;
}

int bench(invocation& call) {
  auto const& args = call.args();
  auto const clients = args.get_number("clients", 1, 4096).value_or(16);
  auto const keys = args.get_number("keys", 1, 1'000'000).value_or(1);
  auto const span = args.get_duration("duration").value_or(std::chrono::seconds{10});
  if (span <= duration::zero()) throw usage("--duration must be more than 0");
  static_cast<void>(call.choice());  // read the settings before there are threads
  measurement result{call, own_namespace()};
  auto const start = clock::now();
  result.run(clients, {keys, args.get_duration("ttl"), start + span});
  auto const seconds = std::chrono::duration<double>(clock::now() - start).count();
  auto const rate = static_cast<double>(result.count()) / seconds;
  if (call.json_wanted()) {
    auto out = document("bench");
    out["store"] = call.choice().label;
    out["clients"] = clients;
    out["keys"] = keys;
    out["seconds"] = seconds;
    out["grants"] = result.count();
    out["grants_per_second"] = rate;
    for (auto const& [name, q] : {std::pair{"wait_us_p50", 0.5}, {"wait_us_p99", 0.99}, {"wait_us_max", 1.0}}) {
      out[name] = std::chrono::duration<double, std::micro>(result.quantile(q)).count();
    }
    emit(one_line(out));
    return exit_code::done;
  }
  emit(joined({"store        ",
               call.choice().label,
               "\nclients      ",
               std::to_string(clients),
               " on ",
               std::to_string(keys),
               keys == 1 ? " key" : " keys",
               "\ngrants       ",
               std::to_string(result.count()),
               " in ",
               in_words(span),
               ", ",
               std::to_string(static_cast<std::uint64_t>(rate)),
               " per second\nwait µs      p50 ",
               us(result.quantile(0.5)),
               "  p99 ",
               us(result.quantile(0.99)),
               "  max ",
               us(result.quantile(1)),
               "\n"}));
  return exit_code::done;
}

}  // namespace

command const bench_command{.name = "bench",
                            .summary = "measure a store with competing clients",
                            .words = "",
                            .options = options,
                            .about =
                                "Works in a namespace of its own with a random name; no lock of yours is touched. The "
                                "time measured is from asking "
                                "to the grant.",
                            .run = bench};

}  // namespace leasehold::cli
