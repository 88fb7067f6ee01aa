#include "support/node_cosmos.hpp"

#include "support/redis_server.hpp"

#include <leasehold/clock.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

std::string const& folder() {
  static std::string const at = std::string(LEASEHOLD_PEERS_FOLDER) + "/cosmos";
  return at;
}

constexpr char const* program = R"js(
const { createHttpServer, createHttpsServer } = require('@vercel/cosmosdb-server');
const fs = require('fs');
const [port, certificate, key] = process.argv.slice(1);
const options = { keepAlive: true };
const server = certificate
  ? createHttpsServer({ ...options, cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }) : createHttpServer(options);
server.listen(Number(port), '127.0.0.1');
)js";

/// One at a time, whichever process comes first.
std::string install() {
  std::error_code ignored;
  std::filesystem::create_directories(folder(), ignored);
  int const lock = ::open((folder() + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  ::flock(lock, LOCK_EX);
  std::string out;
  if (!std::filesystem::exists(folder() + "/installed")) {
    auto const command = "cd '" + folder() +
                         "' && command -v node npm >/dev/null && npm init --yes >log 2>&1 && timeout 240 npm install " +
                         "--no-audit --no-fund @vercel/cosmosdb-server@1.0.1 >>log 2>&1 && " +
                         "node -e \"require('@vercel/cosmosdb-server')\" >>log 2>&1 && touch installed";
    if (std::system(command.c_str()) != 0)
      out = "the npm package @vercel/cosmosdb-server cannot be installed here (see " + folder() + "/log)";
  }
  ::close(lock);
  return out;
}

bool answers(int port) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<std::uint16_t>(port));
  bool const up = ::connect(fd, reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0;
  ::close(fd);
  return up;
}

}  // namespace

std::string node_cosmos::missing() {
  static std::string const why = install();
  return why;
}

node_cosmos::node_cosmos(std::string const& certificate, std::string const& key) : port_(free_port()) {
  auto const port = std::to_string(port_);
  auto const parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent || ::chdir(folder().c_str()) != 0) ::_exit(1);
    int const log = ::open("emulator.log", O_CREAT | O_WRONLY | O_TRUNC, 0644);
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::execlp("node", "node", "-e", program, port.c_str(), certificate.c_str(), key.c_str(), nullptr);
    ::_exit(127);
  }
  for (auto const end = clock::now() + 30s; !answers(port_);) {
    if (clock::now() > end || ::waitpid(pid_, nullptr, WNOHANG) != 0)
      throw std::runtime_error("the emulator did not start");
    ::poll(nullptr, 0, 5);
  }
}

node_cosmos::~node_cosmos() {
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

}  // namespace leasehold::test
