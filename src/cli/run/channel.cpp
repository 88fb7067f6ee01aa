// Decides what front and supervisor tell each other, and how each notices the other's death.
#include "run/channel.hpp"

#include "base/problem.hpp"

#include <sys/socket.h>

#include <cerrno>

namespace leasehold::cli {

std::pair<channel, channel> channel::make() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    throw os_refused("making a socket pair", errno);
  return {channel{ends[0]}, channel{ends[1]}};
}

bool channel::send(word what, int number, std::string_view text) const noexcept {
  message m{what, number};
  text.copy(m.text, sizeof m.text - 1);
  int const flags = what == word::finished ? MSG_NOSIGNAL : MSG_NOSIGNAL | MSG_DONTWAIT;
  while (::send(fd_.get(), &m, sizeof m, flags) < 0) {
    if (errno != EINTR) return false;
  }
  return true;
}

std::optional<message> channel::receive() noexcept {
  message m;
  ssize_t n = -1;
  do {
    n = ::recv(fd_.get(), &m, sizeof m, MSG_DONTWAIT);
    // ECONNRESET: the other side ended with messages of ours unread. It is told once, ahead of what that side sent last.
  } while (n < 0 && (errno == EINTR || errno == ECONNRESET));
  if (n == static_cast<ssize_t>(sizeof m)) return m;
  closed_ = n >= 0 || errno != EAGAIN;
  return {};
}

}  // namespace leasehold::cli
