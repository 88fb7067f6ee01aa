#include "conformance/process_party.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>

namespace leasehold::conformance {
namespace {

constexpr char const* party_flag = "--play-party";

class process_party final : public party {
 public:
  explicit process_party(std::vector<std::string> const& arguments) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
    std::vector<char*> argv;
    for (auto const& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("fork");
    if (pid_ == 0) {
      ::dup2(in[0], STDIN_FILENO);
      ::dup2(out[1], STDOUT_FILENO);
      ::execv("/proc/self/exe", argv.data());
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    to_ = in[1];
    from_ = ::fdopen(out[0], "r");
  }
  ~process_party() override {
    kill();
    ::close(to_);
    std::fclose(from_);
  }

  std::uint64_t await_grant() override {
    if (!is_granted_) token_ = read_number();
    is_granted_ = true;
    return token_;
  }
  bool held() override { return ask("held\n") == 1; }
  std::error_code release() override {
    auto const code = static_cast<int>(ask("release\n"));
    return code == 0 ? std::error_code{} : make_error_code(static_cast<errc>(code));
  }
  std::error_code complete(std::string_view result) override {
    auto const code = static_cast<int>(ask(("complete " + std::string(result) + "\n").c_str()));
    return code == 0 ? std::error_code{} : make_error_code(static_cast<errc>(code));
  }
  void pause() override {
    if (pid_ <= 0) return;  // 0 and -1 would be signals to others
    int status = 0;
    ::kill(pid_, SIGSTOP);
    ::waitpid(pid_, &status, WUNTRACED);
  }
  void resume() override {
    if (pid_ > 0) ::kill(pid_, SIGCONT);
  }
  void kill() override {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  std::uint64_t ask(char const* command) {
    if (::write(to_, command, std::strlen(command)) < 0) throw std::runtime_error("the party is gone");
    return read_number();
  }
  std::uint64_t read_number() {
    std::array<char, 64> line{};
    if (std::fgets(line.data(), line.size(), from_) == nullptr) throw std::runtime_error("the party is gone");
    return std::strtoull(line.data(), nullptr, 10);
  }

  pid_t pid_ = 0;
  int to_ = -1;
  std::FILE* from_ = nullptr;
  std::uint64_t token_ = 0;
  bool is_granted_ = false;
};

void say(std::uint64_t number) { std::cout << number << std::endl; }

std::int64_t number(char const* text) { return std::strtoll(text, nullptr, 10); }

}  // namespace

std::unique_ptr<party> start_process_party(std::string const& url, std::string_view name,
                                           party_options const& options) {
  auto const ttl = options.ttl ? std::to_string(options.ttl->count()) : "0";
  return std::make_unique<process_party>(
      std::vector<std::string>{"party", party_flag, url, std::string(name), ttl, std::to_string(options.mode.capacity),
                               std::to_string(options.lock_delay.count()), options.identity, options.note});
}

std::optional<int> play_party(int argc, char** argv) {
  if (argc != 9 || std::string_view(argv[1]) != party_flag) return std::nullopt;
  auto const where = open(argv[2]);
  acquire_options options;
  if (auto const ttl = number(argv[4]); ttl > 0) options.ttl = duration(ttl);
  options.mode = {static_cast<std::uint32_t>(number(argv[5]))};
  options.lock_delay = duration(number(argv[6]));
  options.identity = argv[7];
  auto held = where.acquire(argv[3], options);
  if (*argv[8] != '\0') held.note(argv[8]);
  say(held.has_token() ? held.token() : 0);
  for (std::string command; std::getline(std::cin, command);) {
    std::error_code ec;
    if (command == "held") say(held.held() ? 1 : 0);
    bool const completes = command.starts_with("complete ");
    if (completes) held.complete(std::string_view(command).substr(9), std::chrono::hours(24), ec);
    if (command != "release" && !completes) continue;
    if (!completes) held.release(ec);
    say(static_cast<std::uint64_t>(ec.value()));
  }
  return 0;
}

}  // namespace leasehold::conformance
