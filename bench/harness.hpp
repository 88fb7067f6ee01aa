// Decides how a benchmark reports: one value per run for us, the limit and the peer, judged by the median of per-run
// ratios.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

struct settings {
  unsigned runs = 5;
  bool quick = false;         ///< fewer repetitions inside a run; for trying out, not for judging
  std::filesystem::path cli;  ///< the leasehold command; empty: not found
  std::filesystem::path out = "build/bench";
  std::vector<std::string> only;  ///< prefixes of ids; empty: everything
};

/// One value per run, in run order. Entry i of every series of a row comes from run i, measured interleaved with the
/// others.
using series = std::vector<double>;

enum class against { limit, peer };

/// Ours is to be at most `factor` times the limit or the peer.
struct bound {
  against what = against::limit;
  double factor = 1;
};

struct row {
  std::string id;
  std::string unit;
  series ours;
  series limit{};              ///< what the machine allows, or the number to stay under; may be empty
  series peer{};               ///< what people use today; may be empty
  std::vector<bound> goals{};  ///< all must hold; empty: stated only, not judged
  std::string note{};          ///< what limit and peer are; for the table
};

struct verdict {
  double ours = 0;
  double least = 0;
  double most = 0;
  std::optional<double> limit;
  std::optional<double> peer;
  std::optional<double> ratio;  ///< to what the first goal names; without goals to the limit, else to the peer
  std::string goal;
  std::optional<bool> pass;  ///< absent: stated only
};

/// A benchmark that cannot run here (a missing command, …): reported by name and reason, no failure.
struct skipped : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct benchmark {
  std::string_view id;
  std::vector<row> (*run)(settings const&);
};

/// The p-th quantile, 0 ≤ p ≤ 1, nearest rank. Requires a non-empty series.
[[nodiscard]] double quantile(series values, double p);
[[nodiscard]] inline double median(series values) { return quantile(std::move(values), 0.5); }
[[nodiscard]] verdict judge(row const& r);

void print_table(std::span<row const> rows);
/// One file `<area>.json` per area (the id's part before the first '/'), with that area's rows.
void write_json(std::span<row const> rows, std::filesystem::path const& directory);

/// Tells on stderr how far a benchmark is: rewritten in place on a terminal, else a line every two seconds.
class progress {
 public:
  progress(std::string_view id, unsigned steps);
  progress(progress const&) = delete;
  progress& operator=(progress const&) = delete;
  ~progress();
  void step(std::string_view what = {});

 private:
  void show(std::string_view what);

  std::string id_;
  unsigned steps_;
  unsigned done_ = 0;
  bool terminal_;
  std::chrono::steady_clock::time_point shown_{};
};

/// Nanoseconds per operation of each contender in one run: batches of `operations` take turns `slices` times, after one
/// round for warming up; the median batch counts, so that a batch hit by another process does not.
[[nodiscard]] series take_turns(std::span<std::function<void()> const> contenders, unsigned slices,
                                unsigned operations);

/// Nanoseconds per pair when `count` threads work at once, after a tenth of `window` for warming up.
[[nodiscard]] double in_threads(unsigned count, std::chrono::milliseconds window,
                                std::function<void(unsigned me)> const& pair);

/// CLOCK_MONOTONIC in nanoseconds: one clock for all processes.
[[nodiscard]] double now_ns() noexcept;

}  // namespace bench
