// Decides what systemd is told.
#include "run/notify.hpp"

#include "run/descriptor.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace leasehold::cli {

namespace {

std::string_view socket_name() {
  auto const* name = std::getenv("NOTIFY_SOCKET");
  return name == nullptr ? std::string_view{} : std::string_view{name};
}

}  // namespace

bool systemd_listens() { return !socket_name().empty(); }

void notify_systemd(std::string_view lines) {
  auto const name = socket_name();
  sockaddr_un where{};
  if (name.empty() || name.size() >= sizeof where.sun_path) return;
  where.sun_family = AF_UNIX;
  std::memcpy(where.sun_path, name.data(), name.size());
  if (name.front() == '@') where.sun_path[0] = '\0';
  auto const length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  descriptor const fd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd) return;
  ::sendto(fd.get(), lines.data(), lines.size(), MSG_NOSIGNAL, reinterpret_cast<sockaddr const*>(&where), length);
}

}  // namespace leasehold::cli
