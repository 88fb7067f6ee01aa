#include "support/rabbitmq_broker.hpp"

#include "support/redis_server.hpp"

#include <leasehold/clock.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace leasehold::test {
namespace {

using namespace std::chrono_literals;

constexpr char const* programs = "/usr/lib/rabbitmq/bin/";

std::string contents_of(std::filesystem::path const& file) {
  std::ifstream in(file);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(std::filesystem::path const& file, std::string const& text) { std::ofstream(file) << text; }

std::string mapper_program() {
  for (char const* at : {"/usr/bin/epmd", "/usr/lib/erlang/bin/epmd"}) {
    if (::access(at, X_OK) == 0) return at;
  }
  return {};
}

}  // namespace

rabbitmq_broker& rabbitmq_broker::get() {
  static rabbitmq_broker one;
  return one;
}

bool rabbitmq_broker::is_installed() {
  return std::getenv("LEASEHOLD_TEST_AMQP_PORT") != nullptr ||
         (::access((std::string(programs) + "rabbitmq-server").c_str(), X_OK) == 0 && !mapper_program().empty());
}

std::string rabbitmq_broker::new_prefix() {
  static std::atomic<int> count = 0;
  return "t" + std::to_string(::getpid()) + "." + std::to_string(++count);
}

rabbitmq_broker::rabbitmq_broker() {
  if (char const* port = std::getenv("LEASEHOLD_TEST_AMQP_PORT")) {
    port_ = std::atoi(port);
    return;
  }
  std::string pattern = std::filesystem::temp_directory_path() / "leasehold-rabbitmq-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp " + pattern);
  folder_ = pattern;
  port_ = free_port();
  distribution_port_ = free_port();
  mapper_port_ = free_port();
  write_file(folder_ / ".erlang.cookie", "LEASEHOLDTEST");
  std::filesystem::permissions(folder_ / ".erlang.cookie", std::filesystem::perms::owner_read);
  write_file(folder_ / "enabled_plugins", "[].\n");
  // Acknowledgements are due within seconds here, so that a test can wait for what takes half an hour elsewhere.
  write_file(folder_ / "advanced.config", "[{rabbit,[{channel_tick_interval,1000},{consumer_timeout,6000}]}].\n");
  write_file(folder_ / "rabbitmq.conf", "listeners.tcp.default = 127.0.0.1:" + std::to_string(port_) +
                                            "\nloopback_users.guest = true\nlog.console = false\n");
  mapper_ = launch(mapper_program(), {"epmd", "-port", std::to_string(mapper_port_), "-address", "127.0.0.1"}, SIGKILL);
  start();
}

rabbitmq_broker::~rabbitmq_broker() {
  if (mapper_ == 0) return;
  kill();
  ::kill(mapper_, SIGKILL);
  ::waitpid(mapper_, nullptr, 0);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::vector<std::string> rabbitmq_broker::environment() const {
  auto const at = [&](char const* file) { return (folder_ / file).string(); };
  char const* const path = std::getenv("PATH");
  return {"PATH=" + std::string(path != nullptr ? path : "/usr/bin:/bin"),
          "HOME=" + folder_.string(),
          "LANG=C.UTF-8",
          "RABBITMQ_NODENAME=lh" + std::to_string(port_) + "@localhost",
          "RABBITMQ_NODE_PORT=" + std::to_string(port_),
          "RABBITMQ_DIST_PORT=" + std::to_string(distribution_port_),
          "ERL_EPMD_PORT=" + std::to_string(mapper_port_),
          "ERL_EPMD_ADDRESS=127.0.0.1",
          "RABBITMQ_MNESIA_BASE=" + at("mnesia"),
          "RABBITMQ_LOG_BASE=" + at("log"),
          "RABBITMQ_CONFIG_FILE=" + at("rabbitmq.conf"),
          "RABBITMQ_ADVANCED_CONFIG_FILE=" + at("advanced.config"),
          "RABBITMQ_ENABLED_PLUGINS_FILE=" + at("enabled_plugins"),
          "RABBITMQ_PID_FILE=" + at("pid"),
          "RABBITMQ_CONF_ENV_FILE=/dev/null",
          "RABBITMQ_GENERATED_CONFIG_DIR=" + at("gen"),
          "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none "
          "+sbwtdio none"};
}

/// As a child that gets `signal` when this process ends before it.
pid_t rabbitmq_broker::launch(std::string const& program, std::vector<std::string> words, int signal) const {
  auto own = environment();
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (auto& w : words) argv.push_back(w.data());
  for (auto& e : own) envp.push_back(e.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  auto const parent = ::getpid();
  auto const pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork");
  if (pid > 0) return pid;
  ::prctl(PR_SET_PDEATHSIG, signal);
  if (::getppid() != parent) ::_exit(1);
  int const null = ::open("/dev/null", O_RDWR);
  for (int const fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(null, fd);
  ::execve(program.c_str(), argv.data(), envp.data());
  ::_exit(127);
}

void rabbitmq_broker::start() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_ / "log", ignored);
  std::filesystem::remove(folder_ / "pid", ignored);
  script_ = launch(std::string(programs) + "rabbitmq-server", {"rabbitmq-server"}, SIGTERM);
  auto const log = folder_ / "log" / ("lh" + std::to_string(port_) + "@localhost.log");
  for (auto const end = clock::now() + 90s; contents_of(log).find("Server startup complete") == std::string::npos;) {
    if (clock::now() > end || ::waitpid(script_, nullptr, WNOHANG) != 0)
      throw std::runtime_error("rabbitmq-server did not start");
    ::poll(nullptr, 0, 50);
  }
}

pid_t rabbitmq_broker::beam() const { return std::atoi(contents_of(folder_ / "pid").c_str()); }

void rabbitmq_broker::kill() {
  if (script_ <= 0) return;
  if (auto const pid = beam(); pid > 0) ::kill(pid, SIGKILL);
  ::waitpid(script_, nullptr, 0);
  script_ = 0;
}

void rabbitmq_broker::pause() {
  if (auto const pid = beam(); pid > 0) ::kill(pid, SIGSTOP);
}

void rabbitmq_broker::resume() {
  if (auto const pid = beam(); pid > 0) ::kill(pid, SIGCONT);
}

std::string rabbitmq_broker::control(std::vector<std::string> words) const {
  std::array<int, 2> out{};
  if (::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  auto own = environment();
  auto const program = std::string(programs) + "rabbitmqctl";
  words.insert(words.begin(), {"rabbitmqctl", "-q", "-n", "lh" + std::to_string(port_) + "@localhost"});
  std::vector<char*> argv;
  std::vector<char*> envp;
  for (auto& w : words) argv.push_back(w.data());
  for (auto& e : own) envp.push_back(e.data());
  argv.push_back(nullptr);
  envp.push_back(nullptr);
  auto const pid = ::fork();
  if (pid == 0) {
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(out[1], STDERR_FILENO);
    ::execve(program.c_str(), argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(out[1]);
  std::string said;
  std::array<char, 4096> room;
  for (ssize_t n = 0; (n = ::read(out[0], room.data(), room.size())) > 0;)
    said.append(room.data(), static_cast<std::size_t>(n));
  ::close(out[0]);
  ::waitpid(pid, nullptr, 0);
  return said;
}

std::optional<int> run_in_shards(char** argv) {
  char const* const shards = std::getenv("LEASEHOLD_TEST_SHARDS");
  int const count = shards != nullptr ? std::atoi(shards) : 0;
  if (count < 1) return std::nullopt;
  ::unsetenv("LEASEHOLD_TEST_SHARDS");
  ::setenv("LEASEHOLD_TEST_AMQP_PORT", std::to_string(rabbitmq_broker::get().port()).c_str(), 1);
  ::setenv("GTEST_TOTAL_SHARDS", std::to_string(count).c_str(), 1);
  std::vector<pid_t> running;
  for (int i = 0; i < count; ++i) {
    auto const pid = ::fork();
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::setenv("GTEST_SHARD_INDEX", std::to_string(i).c_str(), 1);
      ::execv("/proc/self/exe", argv);
      ::_exit(127);
    }
    running.push_back(pid);
  }
  int worst = 0;
  for (auto const pid : running) {
    int status = 0;
    ::waitpid(pid, &status, 0);
    worst = std::max(worst, WIFEXITED(status) ? WEXITSTATUS(status) : 1);
  }
  return worst;
}

}  // namespace leasehold::test
