#include "progress.hpp"

#include "tree.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace demo {
namespace {

using namespace std::chrono_literals;

constexpr auto live_interval = 100ms;
constexpr auto plain_interval = 1000ms;

std::size_t columns() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

std::string base_name(std::string const& path) { return path.substr(path.rfind('/') + 1); }

std::string holders(manifest const& log) {
  std::string text;
  for (auto const& [worker, held] : log.holds())
    text += fmt::format(" {}:{}", worker, printable(base_name(held.name), 12));
  return text;
}

}  // namespace

progress::progress(std::size_t files)
    : files_(files),
      live_(::isatty(STDOUT_FILENO) == 1),
      started_(std::chrono::steady_clock::now()),
      shown_at_(started_) {}

progress::~progress() { clear(); }

double progress::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void progress::clear() const {
  if (live_) fmt::print("\r\x1b[K");
  std::fflush(stdout);
}

void progress::show(manifest const& log) {
  auto const now = std::chrono::steady_clock::now();
  std::chrono::duration<double> const since = now - shown_at_;
  if (since < (live_ ? live_interval : plain_interval)) return;
  auto const current = static_cast<double>(log.done() - done_before_) / since.count();
  files_per_s_ = done_before_ == 0 ? current : 0.7 * files_per_s_ + 0.3 * current;
  shown_at_ = now;
  done_before_ = log.done();
  auto line = fmt::format("{:5.1f} s  {:>5}/{} files  {:5.0f} files/s  take-overs {}  rejected {}", seconds(),
                          log.done(), files_, files_per_s_, log.take_overs(), log.stale().size());
  if (!live_) {
    fmt::print("{}\n", line);
  } else {
    line += "  held" + holders(log);
    fmt::print("\r\x1b[K{}", line.substr(0, columns() - 1));
  }
  std::fflush(stdout);
}

void progress::event(std::string const& text) {
  clear();
  fmt::print("{:5.1f} s  {}\n", seconds(), text);
  std::fflush(stdout);
}

bool colours() { return ::isatty(STDOUT_FILENO) == 1 && ::secure_getenv("NO_COLOR") == nullptr; }

}  // namespace demo
