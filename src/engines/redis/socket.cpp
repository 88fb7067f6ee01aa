#include "engines/redis/stream.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace leasehold::inline v0_1::redis {
namespace {

failure unreachable(settings const& to, int error) {
  auto const text = std::error_code(error, std::generic_category()).message();
  char const* hint = error == EACCES ? "may this user open the socket?" : "is it running, and is the address right?";
  return {make_error_code(error == EACCES ? errc::auth : errc::unavailable),
          diagnostics(to.shown + " cannot be reached: " + text, hint)};
}

class socket_stream final : public stream {
 public:
  socket_stream(int fd, settings const& to, bool connected) : fd_(fd), to_(to), connected_(connected) {}
  ~socket_stream() override { ::close(fd_); }

  [[nodiscard]] int fd() const noexcept override { return fd_; }

  result<moved> connect() override {
    if (connected_) return moved{};
    pollfd p{fd_, POLLOUT, 0};
    if (::poll(&p, 1, 0) == 0) return moved{0, POLLOUT};
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) return unreachable(to_, error);
    connected_ = true;
    return moved{};
  }

  result<moved> write(std::string_view bytes) override {
    auto const n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n >= 0) return moved{static_cast<std::size_t>(n), 0};
    if (errno == EAGAIN || errno == EINTR) return moved{0, POLLOUT};
    return unreachable(to_, errno);
  }

  result<moved> read(std::span<char> room) override {
    auto const n = ::recv(fd_, room.data(), room.size(), MSG_DONTWAIT);
    if (n >= 0) return moved{static_cast<std::size_t>(n), 0};
    if (errno == EAGAIN || errno == EINTR) return moved{0, POLLIN};
    return unreachable(to_, errno);
  }

 private:
  int const fd_;
  settings const& to_;
  bool connected_;
};

result<std::unique_ptr<stream>> begin(settings const& to, int family, sockaddr const* address, socklen_t size) {
  int const fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return unreachable(to, errno);
  auto out = std::make_unique<socket_stream>(fd, to, family == AF_UNIX);
  if (family != AF_UNIX) {
    int const on = 1;
    unsigned const silence_ms = 10'000;  // CONN-7: a peer that acknowledges nothing for so long is gone
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    int const idle_s = 10;
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    ::setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof silence_ms);
  }
  if (::connect(fd, address, size) != 0 && errno != EINPROGRESS) return unreachable(to, errno);
  return std::unique_ptr<stream>(std::move(out));
}

struct free_addresses {
  void operator()(addrinfo* list) const noexcept { ::freeaddrinfo(list); }
};

}  // namespace

result<std::unique_ptr<stream>> connect_plain(settings const& to, unsigned attempt) {
  if (!to.socket.empty()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    to.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    return begin(to, AF_UNIX, reinterpret_cast<sockaddr const*>(&address), sizeof address);
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* found = nullptr;
  int const code = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &found);
  std::unique_ptr<addrinfo, free_addresses> const list(found);
  if (code != 0 || !list) {
    return failure{make_error_code(errc::unavailable),
                   diagnostics(to.shown + " cannot be found: " + ::gai_strerror(code), "is the host's name right?")};
  }
  unsigned count = 0;
  for (auto const* a = list.get(); a != nullptr; a = a->ai_next) ++count;
  auto const* chosen = list.get();
  for (unsigned skip = attempt % count; skip > 0; --skip) chosen = chosen->ai_next;
  return begin(to, chosen->ai_family, chosen->ai_addr, chosen->ai_addrlen);
}

}  // namespace leasehold::inline v0_1::redis
