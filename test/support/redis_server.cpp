#include "support/redis_server.hpp"

#include <leasehold/clock.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

/// `name` in the PATH, or as it is; empty: not there.
std::string find_program(std::string const& name) {
  if (name.find('/') != std::string::npos) return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  std::string_view path = std::getenv("PATH") == nullptr ? "" : std::getenv("PATH");
  while (!path.empty()) {
    auto const folder = path.substr(0, path.find(':'));
    auto full = std::string(folder) + "/" + name;
    if (::access(full.c_str(), X_OK) == 0) return full;
    path.remove_prefix(std::min(folder.size() + 1, path.size()));
  }
  return {};
}

/// What LEASEHOLD_TEST_REDIS_SERVER names (a name or a path; Valkey takes the same arguments); else the first of its names that is
/// installed: it is one program with the checker of its files, and what it does depends on the name it is called by.
std::string program() {
  if (char const* chosen = std::getenv("LEASEHOLD_TEST_REDIS_SERVER")) return find_program(chosen);
  for (std::string const name : {"redis-server", "redis-check-rdb", "valkey-server"}) {
    if (auto found = find_program(name); !found.empty()) return found;
  }
  return {};
}

class connection {
 public:
  explicit connection(std::string const& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    ok_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  connection(connection const&) = delete;
  connection& operator=(connection const&) = delete;
  ~connection() { ::close(fd_); }
  [[nodiscard]] bool ok() const noexcept { return ok_; }
  void send(std::string const& bytes) const {
    if (ok_) static_cast<void>(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL));
  }
  /// One line without its end; empty if none comes within 5 s.
  std::string line() {
    std::string out;
    while (!out.ends_with("\r\n")) {
      auto const c = byte();
      if (c < 0) return {};
      out.push_back(static_cast<char>(c));
    }
    return out.substr(0, out.size() - 2);
  }
  std::string bytes(std::size_t n) {
    std::string out;
    while (out.size() < n) {
      auto const c = byte();
      if (c < 0) break;
      out.push_back(static_cast<char>(c));
    }
    return out;
  }

 private:
  int byte() {
    pollfd p{fd_, POLLIN, 0};
    char c = 0;
    if (!ok_ || ::poll(&p, 1, 5000) != 1 || ::read(fd_, &c, 1) != 1) return -1;
    return static_cast<unsigned char>(c);
  }

  int fd_;
  bool ok_ = false;
};

template <class Words>
std::string encoded(Words const& words) {
  std::string bytes = "*" + std::to_string(words.size()) + "\r\n";
  for (auto const& w : words) bytes += "$" + std::to_string(w.size()) + "\r\n" + std::string(w) + "\r\n";
  return bytes;
}

std::string read_reply(connection& from) {
  auto const head = from.line();
  if (head.empty()) return "(no reply)";
  auto const n = std::atoll(head.c_str() + 1);
  if (head[0] == '$')
    return n < 0 ? "(nil)" : from.bytes(static_cast<std::size_t>(n) + 2).substr(0, static_cast<std::size_t>(n));
  if (head[0] != '*') return head[0] == '-' ? head : head.substr(1);
  std::string out;
  for (long long i = 0; i < n; ++i) out += (i == 0 ? "" : "\n") + read_reply(from);
  return out;
}

}  // namespace

int free_port() {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  bool const ok = ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  ::close(fd);
  if (!ok) throw std::runtime_error("no free port");
  return ntohs(address.sin_port);
}

redis_server::redis_server(std::vector<std::string> arguments) : arguments_(std::move(arguments)) {
  std::string pattern = std::filesystem::temp_directory_path() / "leasehold-redis-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  folder_ = pattern;
  start();
}

redis_server::~redis_server() {
  kill();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

bool redis_server::is_installed() { return !program().empty(); }

void redis_server::start() {
  auto const path = program();
  std::vector<std::string> words{
      "redis-server",   "--port",     "0",      "--unixsocket", socket(), "--dir",
      folder_.string(), "--save",     "",       "--appendonly", "no",     "--enable-debug-command",
      "local",          "--loglevel", "warning"};
  words.insert(words.end(), arguments_.begin(), arguments_.end());
  std::vector<char*> argv;
  for (auto& w : words) argv.push_back(w.data());
  argv.push_back(nullptr);
  auto const parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(1);
    int const null = ::open("/dev/null", O_RDWR);
    ::dup2(null, STDIN_FILENO);
    ::dup2(null, STDOUT_FILENO);
    ::execv(path.c_str(), argv.data());
    ::_exit(127);
  }
  for (auto const end = clock::now() + 30s; !answers();) {
    if (clock::now() > end || ::waitpid(pid_, nullptr, WNOHANG) != 0)
      throw std::runtime_error("redis-server did not start");
    ::poll(nullptr, 0, 2);
  }
}

bool redis_server::answers() const {
  auto const said = command({"PING"});
  return said.starts_with("PONG") || said.starts_with("-NOAUTH");
}

std::string redis_server::command(std::initializer_list<std::string_view> words) const {
  connection to(socket());
  if (!to.ok()) return "(no connection)";
  to.send(encoded(words));
  return read_reply(to);
}

std::string redis_server::command(std::vector<std::string> const& words) const {
  connection to(socket());
  if (!to.ok()) return "(no connection)";
  to.send(encoded(words));
  return read_reply(to);
}

std::string redis_server::command_as(std::string_view password, std::initializer_list<std::string_view> words) const {
  connection to(socket());
  to.send(encoded(std::initializer_list<std::string_view>{"AUTH", password}) + encoded(words));
  read_reply(to);
  return read_reply(to);
}

void redis_server::stop(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = 0;
  std::error_code ignored;
  std::filesystem::remove(socket(), ignored);
}

void redis_server::kill() { stop(SIGKILL); }
void redis_server::terminate() { stop(SIGTERM); }

void redis_server::pause() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGSTOP);
  ::waitpid(pid_, nullptr, WUNTRACED);
}

void redis_server::resume() {
  if (pid_ > 0) ::kill(pid_, SIGCONT);
}

}  // namespace leasehold::test
