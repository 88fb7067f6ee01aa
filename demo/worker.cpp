#include "worker.hpp"

#include "digest.hpp"
#include "manifest.hpp"
#include "tree.hpp"

#include <leasehold/leasehold.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include <fcntl.h>

namespace demo {
namespace {

class worker {
 public:
  explicit worker(options const& o)
      : options_(o),
        ttl_(std::chrono::round<leasehold::duration>(std::chrono::duration<double>(o.ttl_s))),
        pause_(o.pause_s),
        locks_(leasehold::open(o.store,
                               {.require = {.fencing = leasehold::fencing::conditional}, .name_space = o.name_space})),
        manifest_(o.manifest),
        root_(::open(o.directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (root_ < 0) throw std::system_error(errno, std::generic_category(), o.directory.native());
    for (auto& file : read_list(o.list)) ahead_.push_back({std::move(file), {}});
  }

  void run() {
    while (auto next = take_next()) {
      manifest_.update();
      auto const name = lock_name(next->path);
      if (manifest_.is_done(name)) continue;
      auto lease = try_lock(name);
      if (!lease || !process(*lease, next->path))
        behind_.push_back({std::move(next->path), leasehold::clock::now() + ttl_ / 2});
    }
  }

 private:
  struct job {
    std::string path;
    leasehold::time_point not_before;
  };

  /// New files first; those that somebody else held are looked at again later.
  std::optional<job> take_next() {
    bool const again = !behind_.empty() && (ahead_.empty() || behind_.front().not_before <= leasehold::clock::now());
    auto& from = again ? behind_ : ahead_;
    if (from.empty()) return std::nullopt;
    auto next = std::move(from.front());
    from.pop_front();
    return next;
  }

  /// Waits in line only when there is nothing else to do.
  std::optional<leasehold::lease> try_lock(std::string const& name) {
    leasehold::acquire_options const wish{.ttl = ttl_, .wait = ahead_.empty() ? ttl_ / 2 : leasehold::duration::zero()};
    std::error_code ec;
    leasehold::diagnostics details;
    auto lease = locks_.acquire(name, wish, {}, ec, &details);
    if (!ec) return lease;
    if (ec != leasehold::errcond::retryable) throw leasehold::error(ec, details);
    return std::nullopt;
  }

  /// False if the lease was lost before the work began.
  bool process(leasehold::lease& lease, std::string const& path) {
    auto const name = lock_name(path);
    manifest_.append(name, lease.token(), {entry_kind::taken, *options_.worker, {}});
    manifest_.update();
    if (manifest_.is_done(name)) return true;
    if (!lease.held()) return false;  // the check …

    std::this_thread::sleep_for(pause_);
    auto const hash = sha256_of_file(root_, path);

    // … and the write. Whatever happened in between, an outdated token makes it void.
    auto const kind = hash ? entry_kind::done : entry_kind::unreadable;
    manifest_.append(name, lease.token(), {kind, *options_.worker, hash.value_or(digest{})});
    std::error_code lost_meanwhile;  // then somebody else has the file, or will
    lease.release(lost_meanwhile);
    return true;
  }

  options const& options_;
  leasehold::duration ttl_;
  std::chrono::duration<double> pause_;
  leasehold::store locks_;
  manifest manifest_;
  int root_;
  std::deque<job> ahead_;
  std::deque<job> behind_;
};

}  // namespace

int work(options const& o) {
  worker(o).run();
  return 0;
}

}  // namespace demo
