#include "support/tcp_relay.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace leasehold::test {
namespace {

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

struct leg {
  int client = -1;
  int server = -1;
  ~leg() {
    ::close(client);
    ::close(server);
  }
};

/// What has come, passed on; -1: the end.
ssize_t pass(int from, int to, std::int64_t at_most, bool is_lost) {
  std::array<char, 65536> room;
  auto const n = ::recv(from, room.data(), room.size(), MSG_DONTWAIT);
  if (n <= 0) return -1;
  if (is_lost) return n;
  auto const size = at_most >= 0 ? std::min<ssize_t>(n, at_most) : n;
  return ::send(to, room.data(), static_cast<std::size_t>(size), MSG_NOSIGNAL) == size ? n : -1;
}

}  // namespace

struct tcp_relay::state {
  int to = 0;
  int port = 0;
  int listener = -1;
  std::vector<std::unique_ptr<leg>> legs;  // the thread's
  std::atomic<bool> paused{false};
  std::atomic<bool> cut_now{false};
  std::atomic<bool> deaf{false};
  std::atomic<bool> ending{false};
  std::atomic<std::int64_t> cut_after{-1};
  std::atomic<std::uint64_t> connections{0};
  std::thread thread;

  void accept_one() {
    auto l = std::make_unique<leg>();
    l->client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    l->server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto const at = loopback(to);
    int const on = 1;
    ::setsockopt(l->client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(l->server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (l->client < 0 || ::connect(l->server, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0) return;
    ++connections;
    legs.push_back(std::move(l));
  }

  bool serve(leg const& l, short client, short server) {
    if (client != 0) {
      auto const left = cut_after.load();
      auto const n = pass(l.client, l.server, left, false);
      if (n < 0) return false;
      if (left >= 0) cut_after = left > n ? left - n : -1;
      if (left >= 0 && left <= n) return false;
    }
    return server == 0 || pass(l.server, l.client, -1, deaf) >= 0;
  }

  void run() {
    while (!ending) {
      if (cut_now.exchange(false)) {
        legs.clear();
        deaf = false;
      }
      std::vector<pollfd> fds;
      if (!paused) {
        fds.push_back({listener, POLLIN, 0});
        for (auto const& l : legs) {
          fds.push_back({l->client, POLLIN, 0});
          fds.push_back({l->server, POLLIN, 0});
        }
      }
      ::poll(fds.data(), fds.size(), 2);  // knobs are turned meanwhile
      if (fds.empty() || paused) continue;
      std::vector<std::unique_ptr<leg>> alive;
      for (std::size_t i = 0; i < legs.size(); ++i) {
        if (serve(*legs[i], fds[2 * i + 1].revents, fds[2 * i + 2].revents)) alive.push_back(std::move(legs[i]));
      }
      legs = std::move(alive);
      if (fds.front().revents != 0) accept_one();
    }
    legs.clear();
  }
};

tcp_relay::tcp_relay(int to_port) : it_(std::make_unique<state>()) {
  it_->to = to_port;
  it_->listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto at = loopback(0);
  socklen_t size = sizeof at;
  bool const ok = ::bind(it_->listener, reinterpret_cast<sockaddr*>(&at), size) == 0 &&
                  ::listen(it_->listener, 64) == 0 &&
                  ::getsockname(it_->listener, reinterpret_cast<sockaddr*>(&at), &size) == 0;
  if (!ok) throw std::runtime_error("cannot listen");
  it_->port = ntohs(at.sin_port);
  it_->thread = std::thread([this] { it_->run(); });
}

tcp_relay::~tcp_relay() {
  it_->ending = true;
  it_->thread.join();
  ::close(it_->listener);
}

int tcp_relay::port() const noexcept { return it_->port; }
void tcp_relay::pause() { it_->paused = true; }
void tcp_relay::resume() { it_->paused = false; }
void tcp_relay::cut() { it_->cut_now = true; }
void tcp_relay::cut_after(std::int64_t bytes) { it_->cut_after = bytes; }
void tcp_relay::drop_replies() { it_->deaf = true; }
std::uint64_t tcp_relay::connections() const noexcept { return it_->connections; }

}  // namespace leasehold::test
