#include "support/postgres_server.hpp"

#include <leasehold/clock.hpp>

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

bool has_server(std::filesystem::path const& folder) {
  return ::access((folder / "initdb").c_str(), X_OK) == 0 && ::access((folder / "postgres").c_str(), X_OK) == 0;
}

/// The folder of the server's programs: where the PATH's initdb is, else of the newest that Debian keeps out of the PATH; empty: not there.
std::filesystem::path programs() {
  std::error_code ignored;
  std::string_view path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  while (!path.empty()) {
    auto const found =
        std::filesystem::canonical(std::filesystem::path(path.substr(0, path.find(':'))) / "initdb", ignored)
            .parent_path();
    if (!found.empty() && has_server(found)) return found;
    path.remove_prefix(std::min(path.find(':'), path.size() - 1) + 1);
  }
  std::filesystem::path newest;
  for (auto const& version : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
    auto const bin = version.path() / "bin";
    if (has_server(bin) && newest < bin) newest = bin;
  }
  return newest;
}

passwd const* nobody() { return ::geteuid() == 0 ? ::getpwnam("nobody") : nullptr; }

}  // namespace

/// Asked as the user that would run it: nobody may be unable to reach what is unpacked below a home.
bool postgres_server::is_installed() {
  if (programs().empty()) return false;
  int status = 1;
  ::waitpid(start({"postgres", "--version"}, "/"), &status, 0);
  return status == 0;
}

postgres_server::postgres_server() {
  std::string pattern = std::filesystem::temp_directory_path() / "leasehold-postgres-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  folder_ = pattern;
  if (auto const* user = nobody(); user != nullptr && ::chown(folder_.c_str(), user->pw_uid, user->pw_gid) != 0) {
    throw std::runtime_error("chown " + pattern);
  }
  auto const data = (folder_ / "data").string();
  int status = 0;
  ::waitpid(
      start({"initdb", "-D", data, "-A", "trust", "-U", "test", "--no-sync", "-E", "UTF8", "--locale=C"}, folder_),
      &status, 0);
  if (status != 0) throw std::runtime_error("initdb failed in " + data);
  pid_ = start({"postgres", "-D", data, "-c", "listen_addresses=", "-c", "unix_socket_directories=" + folder_.string(),
                "-c", "fsync=off", "-c", "shared_buffers=16MB"},
               folder_);
  wait_until_ready();
}

postgres_server::~postgres_server() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string postgres_server::url(std::string_view database) const {
  return "postgresql:///" + std::string(database) + "?user=test&host=" + folder_.string();
}

void postgres_server::kill() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGQUIT);  // at once, but with its children
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

pid_t postgres_server::start(std::vector<std::string> words, std::filesystem::path const& folder) {
  auto const program = (programs() / words.front()).string();
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  auto const* user = nobody();
  auto const parent = ::getpid();
  pid_t const child = ::fork();
  if (child != 0) return child;
  if (user != nullptr && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
    ::_exit(126);
  ::prctl(PR_SET_PDEATHSIG, SIGQUIT);  // after the change of user, which clears it
  if (::getppid() != parent || ::chdir(folder.c_str()) != 0) ::_exit(1);
  int log = ::open("log", O_CREAT | O_WRONLY | O_APPEND, 0600);
  if (log < 0) log = ::open("/dev/null", O_WRONLY);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execv(program.c_str(), argv.data());
  ::_exit(127);
}

void postgres_server::wait_until_ready() const {
  // The last line of the file says "ready" once connections are taken.
  auto const file = folder_ / "data" / "postmaster.pid";
  for (auto const end = clock::now() + 60s;; ::poll(nullptr, 0, 5)) {
    if (clock::now() > end || ::waitpid(pid_, nullptr, WNOHANG) != 0)
      throw std::runtime_error("postgres did not start");
    int const fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    char text[4096] = {};
    ssize_t const size = fd < 0 ? 0 : ::read(fd, text, sizeof text - 1);
    if (fd >= 0) ::close(fd);
    if (size > 0 && std::string_view(text, static_cast<std::size_t>(size)).find("\nready") != std::string_view::npos)
      return;
  }
}

}  // namespace leasehold::test
