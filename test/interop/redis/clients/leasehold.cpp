// leasehold behind the lines of README.md. usage: interop_leasehold PORT[,PORT…]: one is redis:, several are redlock:
#include <leasehold/leasehold.hpp>

#include <unistd.h>

#include <sys/stat.h>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <optional>
#include <sstream>
#include <string>
#include <thread>

namespace {

using namespace std::chrono_literals;
using leasehold::clock;
using ms = std::chrono::milliseconds;

std::string url_of(std::string const& ports) {
  if (ports.find(',') == std::string::npos) return "redis://127.0.0.1:" + ports;
  std::string url = "redlock://";
  std::istringstream each(ports);
  for (std::string port; std::getline(each, port, ',');) url.append("127.0.0.1:").append(port).append(",");
  url.pop_back();
  return url;
}

/// The servers are a test's, and fresh: nothing is held there by anybody who was forgotten.
std::string initialized(std::string url) {
  try {
    leasehold::initialize(url);
  } catch (leasehold::error const&) {
    // One of several is down; then it has been done before.
  }
  return url;
}

class client {
 public:
  explicit client(std::string const& ports) : locks_(leasehold::open(initialized(url_of(ports)))) {}

  bool acquire(std::string const& name, ms ttl, ms wait) {
    lease_.reset();
    try {
      lease_ = locks_.acquire(name, {.ttl = ttl, .wait = wait});
      return true;
    } catch (leasehold::error const& why) {
      if (why.code() == leasehold::errc::timed_out) return false;
      throw;
    }
  }

  bool release() {
    std::error_code why;
    lease_->release(why);
    return !why;
  }

  [[nodiscard]] bool held() const { return lease_ && lease_->held(); }

  std::string stress(std::string const& name, ms ttl, double seconds, std::filesystem::path const& folder) {
    auto const inside = folder / "inside";
    auto const until =
        clock::now() + std::chrono::duration_cast<leasehold::duration>(std::chrono::duration<double>(seconds));
    int count = 0;
    while (clock::now() < until) {
      if (!acquire(name, ttl, 1s)) continue;
      if (::mkdir(inside.c_str(), 0700) != 0) return "overlap";
      std::this_thread::sleep_for(1ms);
      ::rmdir(inside.c_str());
      lease_->release();
      ++count;
    }
    return "done " + std::to_string(count);
  }

 private:
  leasehold::store locks_;
  std::optional<leasehold::lease> lease_;
};

std::string answer(client& c, std::istream& line) {
  std::string verb, name;
  line >> verb;
  if (verb == "release") return c.release() ? "released" : "lost";
  if (verb == "held") return c.held() ? "yes" : "no";
  long ttl = 0;
  line >> name >> ttl;
  if (verb == "acquire") {
    long wait = 0;
    line >> wait;
    return c.acquire(name, ms(ttl), ms(wait)) ? "held" : "busy";
  }
  double seconds = 0;
  std::string folder;
  line >> seconds >> folder;
  return verb == "stress" ? c.stress(name, ms(ttl), seconds, folder) : "error unknown verb " + verb;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 64;
  std::optional<client> c;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      if (!c) c.emplace(argv[1]);
      std::istringstream words(line);
      std::cout << answer(*c, words) << std::endl;
    } catch (std::exception const& why) {
      std::cout << "error " << why.what() << std::endl;
    }
  }
  ::_exit(0);  // the end of input is a crash: nothing is released
}
