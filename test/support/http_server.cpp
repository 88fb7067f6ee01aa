#include "support/http_server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <stdexcept>

namespace leasehold::test {
namespace {

bool send_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    auto const n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool receive(int fd, std::string& into) {
  std::array<char, 65536> room;
  auto const n = ::recv(fd, room.data(), room.size(), 0);
  if (n > 0) into.append(room.data(), static_cast<std::size_t>(n));
  return n > 0;
}

/// Head and body of one message, taken from the front of `in`, which grows from `fd` as need be.
struct message {
  std::string first;  ///< line
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};
std::optional<message> read_message(int fd, std::string& in) {
  auto end = in.find("\r\n\r\n");
  while (end == std::string::npos) {
    if (!receive(fd, in)) return std::nullopt;
    end = in.find("\r\n\r\n");
  }
  message out;
  std::size_t bytes = 0;
  auto const head = in.substr(0, end + 2);
  for (std::size_t at = 0; at < head.size();) {
    auto const line = head.substr(at, head.find("\r\n", at) - at);
    at += line.size() + 2;
    auto const colon = line.find(':');
    if (out.first.empty()) {
      out.first = line;
    } else if (colon != std::string::npos) {
      auto name = line.substr(0, colon);
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      auto const value = line.find_first_not_of(' ', colon + 1);
      out.headers.emplace_back(name, value == std::string::npos ? "" : line.substr(value));
      if (name == "content-length") bytes = std::strtoull(out.headers.back().second.c_str(), nullptr, 10);
    }
  }
  in.erase(0, end + 4);
  while (in.size() < bytes) {
    if (!receive(fd, in)) return std::nullopt;
  }
  out.body = in.substr(0, bytes);
  in.erase(0, bytes);
  return out;
}

sockaddr_in loopback(int port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  out.sin_port = htons(static_cast<std::uint16_t>(port));
  return out;
}

void no_delay(int fd) {
  int const on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// One request on a connection of its own.
std::optional<http_reply> exchange_with(int port, http_request const& r) {
  int const fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto const to = loopback(port);
  std::optional<http_reply> out;
  if (::connect(fd, reinterpret_cast<sockaddr const*>(&to), sizeof to) == 0) {
    no_delay(fd);
    std::string text = r.verb + " " + r.path + " HTTP/1.1\r\n";
    for (auto const& [name, value] : r.headers) text += name + ": " + value + "\r\n";
    send_all(fd, text + "\r\n" + r.body);
    std::string in;
    if (auto m = read_message(fd, in)) {
      out.emplace();
      out->status = std::atoi(m->first.c_str() + m->first.find(' '));
      for (auto& h : m->headers) {
        if (h.first != "connection" && h.first != "content-length") out->headers.push_back(std::move(h));
      }
      out->body = std::move(m->body);
    }
  }
  ::close(fd);
  return out;
}

}  // namespace

http_handler forward_to(int port) {
  return [port](http_request const& r) { return exchange_with(port, r); };
}

http_server::http_server(http_handler answers) : answers_(std::move(answers)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto at = loopback(0);
  socklen_t size = sizeof at;
  auto* const address = reinterpret_cast<sockaddr*>(&at);
  if (::bind(listener_, address, size) != 0 || ::listen(listener_, 128) != 0 ||
      ::getsockname(listener_, address, &size) != 0) {
    throw std::runtime_error("cannot listen on the loopback interface");
  }
  port_ = ntohs(at.sin_port);
  thread_ = std::thread([this] { listen(); });
}

http_server::~http_server() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  thread_.join();
  cut();
  for (auto& t : threads_) t.join();
  ::close(listener_);
}

void http_server::cut() {
  std::lock_guard const hold(guard_);
  for (int const fd : open_) ::shutdown(fd, SHUT_RDWR);
}

void http_server::listen() {
  while (!ending_) {
    int const fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) continue;
    no_delay(fd);
    ++connections_;
    std::lock_guard const hold(guard_);
    open_.push_back(fd);
    threads_.emplace_back([this, fd] {
      serve(fd);
      std::lock_guard const closing(guard_);
      open_.remove(fd);
      ::close(fd);
    });
  }
}

void http_server::serve(int fd) {
  std::string in;
  while (!ending_) {
    auto m = read_message(fd, in);
    if (!m) return;
    http_request r;
    r.verb = m->first.substr(0, m->first.find(' '));
    auto const path = m->first.find(' ') + 1;
    r.path = m->first.substr(path, m->first.find(' ', path) - path);
    for (auto& [name, value] : m->headers) r.headers.insert_or_assign(name, std::move(value));
    r.body = std::move(m->body);
    auto const said = answer(r);
    if (!said) {
      // A client that has seen nothing at all may repeat the request by itself.
      send_all(fd, "HTTP/1.1 200 Said\r\ncontent-length: 9\r\n\r\n");
      return static_cast<void>(::shutdown(fd, SHUT_RDWR));
    }
    std::string text = "HTTP/1.1 " + std::to_string(said->status) +
                       " Said\r\ncontent-length: " + std::to_string(said->body.size()) + "\r\n";
    for (auto const& [name, value] : said->headers) text += name + ": " + value + "\r\n";
    if (!send_all(fd, text + "\r\n" + said->body)) return;
  }
}

std::optional<http_reply> http_server::answer(http_request const& r) {
  while (paused_ && !ending_) ::poll(nullptr, 0, 2);
  if (requests_to_lose_ > 0) {
    --requests_to_lose_;
    return std::nullopt;
  }
  ++requests_;
  if (r.writes()) loses_replies_ = true;
  bool const loses = loses_replies_ && replies_to_lose_ > 0;
  if (loses) --replies_to_lose_;
  auto out = answers_(r);
  return loses ? std::nullopt : out;
}

}  // namespace leasehold::test
