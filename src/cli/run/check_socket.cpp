// Decides how a job asks whether its lease is still good.
#include "run/check_socket.hpp"

#include "base/durations.hpp"
#include "base/problem.hpp"
#include "base/text.hpp"
#include "view/json.hpp"

#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace leasehold::cli {

namespace {

struct address {
  sockaddr_un value{};
  socklen_t length = 0;
};

/// "@name" is abstract, everything else a path. Length 0: too long.
address address_of(std::string_view text) {
  address out;
  out.value.sun_family = AF_UNIX;
  if (text.empty() || text.size() >= sizeof out.value.sun_path) return out;
  std::memcpy(out.value.sun_path, text.data(), text.size());
  if (text.front() == '@') out.value.sun_path[0] = '\0';
  out.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + text.size());
  return out;
}

bool is_same_user(int fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == ::geteuid() || peer.uid == 0;
}

/// Absent for a lease without a TTL.
json_value remaining_ms(time_point deadline) {
  if (deadline == time_point::max()) return nullptr;
  return std::max<std::int64_t>(0, in_ms(deadline - clock::now()));
}

std::string state_of(lease_set const& held) {
  auto out = document("check");
  bool const good = held.held();
  out["held"] = good;
  out["remaining_ms"] = good ? remaining_ms(held.deadline()) : json_value(0);
  out["locks"] = json_value::array();
  for (auto const& lease : held.leases()) {
    json_value const token = lease.has_token() ? json_value(lease.token()) : json_value(nullptr);
    bool const one = lease.held();
    out["locks"].push_back({{"name", lease.name()},
                            {"token", token},
                            {"held", one},
                            {"remaining_ms", one ? remaining_ms(lease.deadline()) : json_value(0)}});
  }
  return one_line(out);
}

}  // namespace

check_socket::check_socket() {
  unsigned long long secret[2];
  if (::getrandom(secret, sizeof secret, GRND_NONBLOCK) != sizeof secret) return;
  char text[80];
  std::snprintf(text, sizeof text, "@leasehold/%d/%016llx%016llx", ::getpid(), secret[0], secret[1]);
  auto const where = address_of(text);
  descriptor fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!fd || ::bind(fd.get(), reinterpret_cast<sockaddr const*>(&where.value), where.length) != 0) return;
  if (::listen(fd.get(), 16) != 0) return;
  fd_ = std::move(fd);
  address_ = text;
}

void check_socket::answer(lease_set const& held) const {
  while (true) {
    descriptor const client{::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!client) return;
    if (!is_same_user(client.get())) continue;
    auto const text = state_of(held);
    if (::send(client.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) continue;  // it asked and went away
  }
}

std::optional<std::string> ask_check_socket(std::string_view address) {
  auto const where = address_of(address);
  descriptor const fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  if (!fd) throw os_refused("making a socket", errno);
  if (where.length == 0) throw usage(joined({"LEASEHOLD_SOCKET is no socket's address: \"", printable(address), "\""}));
  if (::connect(fd.get(), reinterpret_cast<sockaddr const*>(&where.value), where.length) != 0) {
    if (errno == ECONNREFUSED || errno == ENOENT) return {};
    throw os_refused("asking the supervisor", errno);
  }
  timeval const patience{5, 0};
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  std::string text;
  char part[1024];
  ssize_t n = 0;
  while ((n = ::recv(fd.get(), part, sizeof part, 0)) > 0) text.append(part, static_cast<std::size_t>(n));
  if (n < 0) throw os_refused("asking the supervisor", errno);
  if (text.empty()) return {};
  return text;
}

}  // namespace leasehold::cli
