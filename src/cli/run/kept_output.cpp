// Decides how `leasehold once` keeps what a job wrote to stdout.
#include "run/kept_output.hpp"

#include "base/exit_code.hpp"
#include "base/text.hpp"
#include "view/lock_view.hpp"
#include "view/wall_clock.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>

namespace leasehold::cli {

namespace {

/// On a disk where there is one: a job may write more than should lie in memory.
descriptor unnamed_file() {
  char const* const given = std::getenv("TMPDIR");
  std::string const folder = given != nullptr && *given != '\0' ? given : "/tmp";
  descriptor file{::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)};
  return file ? std::move(file) : descriptor{::memfd_create("leasehold-once", MFD_CLOEXEC)};
}

bool write_all(std::string_view text) {
  while (!text.empty()) {
    auto const n = ::write(STDOUT_FILENO, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

kept_output::kept_output() : file_(unnamed_file()) {
  if (!file_) throw os_refused("making a temporary file", errno);
}

std::string kept_output::text(std::size_t most) const {
  auto const end = ::lseek(file_.get(), 0, SEEK_END);
  auto const size = end > 0 ? static_cast<std::size_t>(end) : 0;
  auto const cut = size <= most ? std::string{} : joined({"\n[cut: ", std::to_string(size), " bytes in all]\n"});
  std::string out(std::min(size, most - cut.size()), '\0');
  std::size_t have = 0;
  while (have < out.size()) {
    auto const n = ::pread(file_.get(), out.data() + have, out.size() - have, static_cast<off_t>(have));
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
  }
  out.resize(have);
  return out + cut;
}

void kept_output::write_out() const {
  std::array<char, 65536> part{};
  ssize_t n = 0;
  for (off_t at = 0; (n = ::pread(file_.get(), part.data(), part.size(), at)) > 0; at += n) {
    if (!write_all({part.data(), static_cast<std::size_t>(n)})) return;
  }
}

std::optional<std::string> find_kept(run_plan const& plan, store const& where) {
  auto const& key = plan.locks.front().name;
  auto found = where.find_completion(key, std::nothrow);
  if (!found) {
    throw from_library(found.error(), found.get_failure().details,
                       joined({"looking for ", printable(key), " in ", plan.store.label}));
  }
  if (!*found) return std::nullopt;
  return std::move((*found)->result);
}

std::optional<problem> keep(run_plan const& plan, store const& where, lease_set& leases, kept_output const& output) {
  std::error_code ec;
  diagnostics details;
  leases.complete(output.text(where.traits().result_bytes_max), *plan.once_window, ec, details);
  if (!ec) return std::nullopt;
  auto why = from_library(ec, details, joined({"recording ", names_of(plan)}));
  why.message = joined({"the job ended well, but that is not recorded: ", why.message});
  why.hint = "the next call runs the job again";
  return why;
}

void tell_previous(run_plan const& plan, lease_set const& leases) {
  std::error_code ec;
  auto const before = leases.leases().front().previous(ec);
  if (ec || !before || plan.quiet) return;
  bool const died = before->how == previous_holder::ending::died;
  auto const note =
      before->who.note.empty() ? std::string{} : joined({"; its last note: ", printable(before->who.note)});
  say(joined({"the attempt before did not finish: ", printable(holder_in_sentence(before->who)),
              died ? " died at " : " was out of time at ", time_of_day(before->ended_at), note}));
}

}  // namespace leasehold::cli
