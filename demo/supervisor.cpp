#include "supervisor.hpp"

#include "incidents.hpp"
#include "manifest.hpp"
#include "processes.hpp"
#include "progress.hpp"
#include "tree.hpp"
#include "verdict.hpp"

#include <leasehold/leasehold.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>

namespace demo {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr unsigned killed_worker = 1;
constexpr unsigned frozen_worker = 2;
constexpr auto tick = 10ms;
constexpr double patience_s = 30;        // without any news, beyond a few TTLs
constexpr double patience_at_end_s = 2;  // when all files are done
constexpr double pause_max_s = 0.25;

std::atomic<int> signalled{0};

class scratch_directory {
 public:
  scratch_directory() : path_((fs::temp_directory_path() / "leasehold-demo-XXXXXX").native()) {
    if (::mkdtemp(path_.data()) == nullptr) throw std::system_error(errno, std::generic_category(), path_);
  }
  scratch_directory(scratch_directory const&) = delete;
  scratch_directory& operator=(scratch_directory const&) = delete;
  ~scratch_directory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  [[nodiscard]] fs::path path() const { return path_; }

 private:
  std::string path_;
};

/// Opens the store and takes a lock once, so that a wrong URL or a server that grants nothing yet is told before anything starts, and
/// fits the TTL to the engine.
leasehold::traits prepare_store(options& o) {
  auto const locks = leasehold::open(o.store, {.require = {.fencing = leasehold::fencing::conditional}});
  auto const traits = locks.traits();
  o.ttl_s = std::max(o.ttl_s, std::chrono::duration<double>(traits.ttl_min).count());
  auto const ttl = std::chrono::round<leasehold::duration>(std::chrono::duration<double>(o.ttl_s));
  locks.acquire(o.name_space + "begin", {.ttl = ttl, .wait = ttl}).release();
  return traits;
}

void prepare_manifest(fs::path const& path) {
  std::error_code ec;
  if (fs::exists(path, ec) && fs::file_size(path, ec) > 0) {
    throw std::runtime_error(path.native() + " exists already; choose another path, or remove it");
  }
}

void introduce(options const& o, tree const& files, leasehold::traits const& traits) {
  auto const fair = traits.exclusion_with_ttl == leasehold::exclusion::exact ? "EXACT" : "TIMED";
  fmt::print("{} worker processes race over {} files of {}: each takes a file's lock, computes its SHA-256 and\n",
             o.workers, files.files.size(), files.root.native());
  fmt::print(
      "records it in one shared manifest. Worker {} will be killed (kill -9) and worker {} frozen (SIGSTOP) past its "
      "TTL,\n",
      killed_worker, frozen_worker);
  fmt::print("each while it holds a lock; still every file must be in the manifest once. Locks: {} ({}), TTL {:g} s.\n",
             leasehold::redacted(o.store), fair, o.ttl_s);
  if (files.left_out != 0) fmt::print("Left out: {} symbolic links and special files.\n", files.left_out);
  if (files.beyond_cap != 0) fmt::print("Left out: {} files beyond --max-files.\n", files.beyond_cap);
  if (!files.unreadable.empty()) {
    fmt::print("Left out: {} unreadable ones, such as {}.\n", files.unreadable.size(),
               printable(files.unreadable.front()));
  }
  if (o.pause_s > 0)
    fmt::print("Each file takes {:.1f} ms more than its digest, to be watched (--watch 0: full speed).\n",
               o.pause_s * 1e3);
  fmt::print("\n");
  std::fflush(stdout);
}

std::vector<process> start_workers(options const& o, tree const& files) {
  auto const self = fs::read_symlink("/proc/self/exe").native();
  std::vector<process> workers;
  workers.reserve(o.workers);  // the incidents keep references
  for (unsigned number = 1; number <= o.workers; ++number) {
    workers.emplace_back(std::vector<std::string>{self, "--worker", std::to_string(number), "--store", o.store,
                                                  "--list", o.list.native(), "--manifest", o.manifest.native(),
                                                  "--name-space", o.name_space, "--ttl", fmt::format("{}", o.ttl_s),
                                                  "--pause", fmt::format("{}", o.pause_s), "--", files.root.native()});
  }
  return workers;
}

class run {
 public:
  run(options const& o, tree const& files)
      : log_(o.manifest),
        screen_(files.files.size()),
        files_(files.files.size()),
        ttl_s_(o.ttl_s),
        workers_(start_workers(o, files)),
        killing_(killed_worker, workers_[killed_worker - 1], [this](auto const& text) { screen_.event(text); }),
        freezing_(frozen_worker, workers_[frozen_worker - 1], [this](auto const& text) { screen_.event(text); }) {}

  /// Until every worker has ended, or something is stuck.
  void watch() {
    while (signalled == 0 &&
           std::any_of(workers_.begin(), workers_.end(), [](auto const& one) { return one.runs(); })) {
      std::this_thread::sleep_for(tick);
      log_.update();
      if (log_.done() >= files_ / 20) killing_.step(log_);
      if (log_.done() >= files_ / 10) freezing_.step(log_);
      screen_.show(log_);
      for (auto& worker : workers_) worker.poll();
      if (is_stuck()) {
        screen_.event("nothing moves any more; giving up");
        break;
      }
    }
    if (signalled != 0) return screen_.event("interrupted");
    log_.update();
    killing_.step(log_);
    freezing_.step(log_);
    screen_.event(fmt::format("the workers are done: {} files, {} take-overs, {} rejected; checking with sha256sum",
                              log_.done(), log_.take_overs(), log_.stale().size()));
  }

  [[nodiscard]] std::vector<finding> judge_workers() const {
    std::vector<finding> all;
    auto const add = [&all](incident const& one, std::string what) {
      if (!one.has_struck()) what += " (it was never caught: the work was over too soon; spread it with --watch)";
      all.push_back({one.is_over(), one.is_over() ? "yes" : "no", fmt::format("worker {} {}", one.worker(), what)});
    };
    add(killing_, "killed while holding; its file done by another");
    add(freezing_, "frozen past its TTL; its file done by another, its own late write void");
    auto const failed = std::count_if(workers_.begin(), workers_.end(),
                                      [](auto const& one) { return one.runs() || one.exit_code() != 0; });
    auto const unexpected = failed - (killing_.has_struck() ? 1 : 0);
    all.push_back({unexpected == 0, std::to_string(unexpected), "other workers failed"});
    return all;
  }

  [[nodiscard]] manifest const& log() const noexcept { return log_; }

 private:
  bool is_stuck() {
    auto const now = steady::now();
    if (auto const news = log_.done() + log_.stale().size(); news != news_) {
      news_ = news;
      news_at_ = now;
    }
    auto const patience = 4 * ttl_s_ + (log_.done() >= files_ ? patience_at_end_s : patience_s);
    return std::chrono::duration<double>(now - news_at_).count() > patience;
  }

  manifest log_;
  progress screen_;
  std::size_t files_;
  double ttl_s_;
  std::vector<process> workers_;
  killing killing_;
  freezing freezing_;
  std::size_t news_ = 0;
  steady::time_point news_at_ = steady::now();
};

}  // namespace

int supervise(options o) {
  for (int const signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, [](int number) { signalled = number; });
  scratch_directory const scratch;
  auto const files = scan(o.directory.empty() ? default_root() : o.directory, o.files_max);
  if (files.files.size() / 2 < o.workers) throw std::runtime_error("too few files: at least two per worker are needed");
  if (o.store.empty()) o.store = "local:" + (scratch.path() / "locks").native();
  bool const keep = !o.manifest.empty();
  o.manifest = keep ? fs::absolute(o.manifest) : scratch.path() / "manifest";
  o.list = scratch.path() / "list";
  o.name_space = scratch.path().filename().native() + "/";
  o.pause_s = std::min(o.watch_s * o.workers / static_cast<double>(files.files.size()), pause_max_s);
  prepare_manifest(o.manifest);
  auto const traits = prepare_store(o);
  write_list(o.list, files.files);
  introduce(o, files, traits);

  run all(o, files);
  all.watch();
  if (signalled != 0) return 128 + signalled;
  auto findings = compare(files, all.log(), scratch.path());
  for (auto& one : all.judge_workers()) findings.push_back(std::move(one));
  bool const good = print_verdict(findings);
  if (keep) fmt::print("The manifest is kept: {}\n", o.manifest.native());
  return good ? 0 : 1;
}

int verify(options const& o) {
  scratch_directory const scratch;
  if (!fs::exists(o.verify)) throw std::runtime_error(o.verify.native() + " does not exist");
  auto const files = scan(o.directory.empty() ? default_root() : o.directory, o.files_max);
  manifest log(o.verify);
  log.update();
  return print_verdict(compare(files, log, scratch.path())) ? 0 : 1;
}

}  // namespace demo
