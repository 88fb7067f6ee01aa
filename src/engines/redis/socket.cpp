#include "engines/redis/lookup.hpp"
#include "engines/redis/stream.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <vector>

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

/// A host: looked up, then its addresses are tried in turn until one answers.
/// INVARIANT: whoever waits on `fd()` finds it open for as long as this lives, so nothing is closed before.
class host_stream final : public stream {
 public:
  host_stream(settings const& to, std::shared_ptr<lookup> asked, unsigned attempt)
      : to_(to), asked_(std::move(asked)), attempt_(attempt) {}

  [[nodiscard]] int fd() const noexcept override { return is_looking_up() ? asked_->fd() : tried_.back()->fd(); }
  [[nodiscard]] bool is_looking_up() const noexcept override { return tried_.empty(); }

  result<moved> connect() override {
    if (!asked_->is_done()) return moved{0, POLLIN};
    auto const& all = asked_->found();
    failure last{make_error_code(errc::unavailable),
                 diagnostics(to_.shown + " cannot be found: " + asked_->why(), "is the host's name right?")};
    for (;;) {
      if (is_trying_) {
        auto ok = tried_.back()->connect();
        if (ok) return ok;
        is_trying_ = false;  // a socket tells its error once
        last = ok.get_failure();
      }
      if (next_ == all.size()) return last;
      auto const& a = all[(attempt_ + next_++) % all.size()];
      auto begun = begin(to_, a.bytes.ss_family, reinterpret_cast<sockaddr const*>(&a.bytes), a.size);
      if (begun) {
        tried_.push_back(std::move(*begun));
        is_trying_ = true;
      } else {
        last = begun.get_failure();
      }
    }
  }
  result<moved> write(std::string_view bytes) override { return tried_.back()->write(bytes); }
  result<moved> read(std::span<char> room) override { return tried_.back()->read(room); }

 private:
  settings const& to_;
  std::shared_ptr<lookup> const asked_;
  unsigned const attempt_;
  std::size_t next_ = 0;
  bool is_trying_ = false;                      // the last of `tried_`
  std::vector<std::unique_ptr<stream>> tried_;  // the last one is it
};

}  // namespace

result<std::unique_ptr<stream>> connect_plain(settings const& to, unsigned attempt) {
  if (!to.socket.empty()) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    to.socket.copy(address.sun_path, sizeof address.sun_path - 1);
    return begin(to, AF_UNIX, reinterpret_cast<sockaddr const*>(&address), sizeof address);
  }
  auto asked = lookup::of(to.host, to.port);
  if (!asked) {
    return failure{
        make_error_code(errc::unavailable),
        diagnostics(to.shown + ": no thread or descriptor to look up its name", "raise the limits (ulimit)")};
  }
  return std::unique_ptr<stream>(std::make_unique<host_stream>(to, std::move(asked), attempt));
}

}  // namespace leasehold::inline v0_1::redis
