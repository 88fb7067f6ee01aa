#include "engines/redis/lookup.hpp"

#include <netdb.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace leasehold::inline v0_1::redis {
namespace {

struct free_addresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

/// Questions under way, by host and port. Never destroyed: a helper may still be at work when the process ends.
struct questions {
  std::mutex guard;
  std::map<std::pair<std::string, std::uint16_t>, std::weak_ptr<lookup>> all;
  static questions& get() {
    static auto* const one = new questions;
    return *one;
  }
};

/// The helper takes no signals: they are for the threads of the program.
class all_signals_blocked {
 public:
  all_signals_blocked() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  all_signals_blocked(all_signals_blocked const&) = delete;
  all_signals_blocked& operator=(all_signals_blocked const&) = delete;
  ~all_signals_blocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_{};
};

}  // namespace

std::shared_ptr<lookup> lookup::of(std::string const& host, std::uint16_t port) {
  auto& under_way = questions::get();
  std::lock_guard const hold(under_way.guard);
  auto const key = std::pair(host, port);
  if (auto const known = under_way.all.find(key); known != under_way.all.end()) {
    if (auto same = known->second.lock(); same && same->is_under_way()) return same;
    under_way.all.erase(known);
  }
  int const fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (fd < 0) return nullptr;
  auto out = std::make_shared<lookup>(host, port, fd);
  out->ask(AI_NUMERICHOST);
  if (out->code_ == 0) {
    out->finish();
    return out;
  }
  all_signals_blocked const quiet;
  try {
    std::thread([out] {
      out->ask(AI_ADDRCONFIG);
      out->finish();
    }).detach();
  } catch (std::system_error const&) {
    return nullptr;
  }
  under_way.all.emplace(key, out);
  return out;
}

lookup::lookup(std::string host, std::uint16_t port, int fd)
    : host_(std::move(host)), port_(port), fd_(fd), asked_by_(::getpid()) {}

bool lookup::is_under_way() const noexcept { return !is_done() && asked_by_ == ::getpid(); }

lookup::~lookup() { ::close(fd_); }

void lookup::ask(int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags | AI_NUMERICSERV;
  addrinfo* list = nullptr;
  code_ = ::getaddrinfo(host_.c_str(), std::to_string(port_).c_str(), &hints, &list);
  std::unique_ptr<addrinfo, free_addresses> const owned(list);
  if (code_ != 0) return;
  for (auto const* a = list; a != nullptr; a = a->ai_next) {
    address one;
    if (a->ai_addrlen > sizeof one.bytes) continue;
    std::memcpy(&one.bytes, a->ai_addr, a->ai_addrlen);
    one.size = a->ai_addrlen;
    found_.push_back(one);
  }
}

void lookup::finish() noexcept {
  done_.store(true, std::memory_order_release);
  std::uint64_t const one = 1;
  static_cast<void>(!::write(fd_, &one, sizeof one));
}

char const* lookup::why() const noexcept { return ::gai_strerror(code_ != 0 ? code_ : EAI_NONAME); }

}  // namespace leasehold::inline v0_1::redis
