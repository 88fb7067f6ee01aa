// Decides what the status file says.
#include "run/report.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "run/descriptor.hpp"
#include "view/json.hpp"
#include "view/wall_clock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace leasehold::cli {

namespace {

template <class T>
json_value or_null(std::optional<T> const& value) {
  return value ? json_value(*value) : json_value(nullptr);
}

json_value instant(std::optional<time_point> const& when) {
  return when ? json_value(iso_utc(*when)) : json_value(nullptr);
}

json_value to_json(run_plan const& plan, run_report const& report) {
  auto out = document("run");
  out["outcome"] = report.outcome;
  out["exit_code"] = report.exit_code;
  out["code"] = report.code.empty() ? json_value(nullptr) : json_value(report.code);
  out["message"] = report.message;
  out["store"] = plan.store.label;
  out["locks"] = json_value::array();
  for (auto const& lock : report.locks) {
    out["locks"].push_back({{"name", lock.name}, {"token", or_null(lock.token)}, {"release", lock.release}});
  }
  out["job"] = {{"pid", or_null(report.job_pid)},
                {"exit_code", or_null(report.job_exit_code)},
                {"signal", or_null(report.job_signal)}};
  auto const now = clock::now();
  auto const waited_until = report.acquired_at.value_or(now);
  out["asked_at"] = iso_utc(report.asked_at);
  out["acquired_at"] = instant(report.acquired_at);
  out["job_ended_at"] = instant(report.job_ended_at);
  out["ended_at"] = iso_utc(now);
  out["waited_ms"] = in_ms(waited_until - report.asked_at);
  out["held_ms"] = report.acquired_at ? in_ms(now - *report.acquired_at) : 0;
  return out;
}

bool write_whole(int fd, std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// A reader sees the old file or the new one. What is no regular file (a pipe, /dev/stderr) is written to as it is.
bool write_file(std::string const& path, std::string_view text) {
  struct stat is {};
  bool const special = ::stat(path.c_str(), &is) == 0 && !S_ISREG(is.st_mode);
  auto const target = special ? path : joined({path, ".", std::to_string(::getpid()), ".tmp"});
  descriptor const file{::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (!file) return false;
  if (special) return write_whole(file.get(), text);
  if (write_whole(file.get(), text) && ::rename(target.c_str(), path.c_str()) == 0) return true;
  int const error = errno;
  ::unlink(target.c_str());
  errno = error;
  return false;
}

}  // namespace

void write_report(run_plan const& plan, run_report const& report) {
  if (plan.status_file.empty() && plan.status_fd < 0) return;
  auto const text = one_line(to_json(plan, report));
  if (!plan.status_file.empty() && !write_file(plan.status_file, text)) {
    say(joined({"cannot write the status file ", printable(plan.status_file), ": ", std::strerror(errno)}));
  }
  if (plan.status_fd >= 0 && !write_whole(plan.status_fd, text)) {
    say(joined({"cannot write to --status-fd: ", std::strerror(errno)}));
  }
}

}  // namespace leasehold::cli
