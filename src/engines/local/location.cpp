#include "engines/local/location.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>

namespace leasehold::inline v0_1::local {

namespace {

bool is_on_remote(std::string const& directory) {
  std::string at = directory;
  for (;;) {
    int const fd = ::open(at.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0) {
      bool const refused = !refused_file_system(fd).empty();
      ::close(fd);
      return refused;
    }
    auto const slash = at.rfind('/');
    if (slash == std::string::npos || at.size() <= 1) return false;
    at = slash == 0 ? "/" : at.substr(0, slash);
  }
}

std::string environment_variable(char const* name) {
  char const* const value = ::secure_getenv(name);
  return value != nullptr ? value : "";
}

result<u64> capacity_of(spi::url const& url) {
  auto const text = url.get("capacity");
  if (!text) return u64{0};
  u64 n = 0;
  auto const [end, error] = std::from_chars(text->data(), text->data() + text->size(), n);
  if (error != std::errc{} || end != text->data() + text->size() || n < 1 || n > capacity_max) {
    return failure(errc::bad_option,
                   diagnostics("capacity=" + *text + " is not a number from 1 to " + std::to_string(capacity_max)));
  }
  return n;
}

/// The directory of a user whose home is a network file system: world-writable parents make its owner worth a look.
result<std::string> temporary_directory(surroundings const& around) {
  std::string const directory = around.temporary + "/leasehold-" + std::to_string(around.uid);
  static_cast<void>(::mkdir(directory.c_str(), 0700));
  struct ::stat status {};
  bool const ours = ::lstat(directory.c_str(), &status) == 0 && S_ISDIR(status.st_mode) &&
                    status.st_uid == around.uid && (status.st_mode & 077) == 0;
  if (ours) return directory;
  return failure(errc::auth, diagnostics("directory " + directory + " is not ours alone",
                                         "remove it, or name a path: local:/PATH"));
}

result<std::string> path_of(std::string const& path, surroundings const& around) {
  if (path == "system") return around.system + "/store";
  if (!path.empty()) return path;
  std::string const state = !around.state_home.empty() ? around.state_home
                            : !around.home.empty()     ? around.home + "/.local/state"
                                                       : "";
  if (state.empty()) {
    return failure(errc::misconfigured,
                   diagnostics("neither HOME nor XDG_STATE_HOME is set", "set one, or name a path: local:/PATH"));
  }
  if (around.is_remote == nullptr || !around.is_remote(state)) return state + "/leasehold/store";
  auto directory = temporary_directory(around);
  if (!directory) return directory;
  return *directory + "/store";
}

}  // namespace

surroundings current_surroundings() {
  surroundings around;
  around.state_home = environment_variable("XDG_STATE_HOME");
  around.home = environment_variable("HOME");
  around.uid = ::geteuid();
  around.is_remote = &is_on_remote;
  return around;
}

result<location> locate_store(spi::url const& url, surroundings const& around) {
  if (auto known = spi::check_query(url, {"capacity", "futex_waitv"}); !known) return known.get_failure();
  if (!url.hosts.empty() || !url.user.empty()) {
    return failure(errc::bad_option,
                   diagnostics("local: takes a path, not a host", "write local:/PATH with one slash"));
  }
  auto const capacity = capacity_of(url);
  if (!capacity) return capacity.get_failure();
  auto path = path_of(url.path, around);
  if (!path) return path.get_failure();
  if (path->find('\0') != std::string::npos || path->back() == '/') {
    return failure(errc::bad_option, diagnostics("\"" + url.path + "\" names no file", "name a file: local:/PATH"));
  }
  return location{std::move(*path), url.path == "system", *capacity};
}

}  // namespace leasehold::inline v0_1::local
