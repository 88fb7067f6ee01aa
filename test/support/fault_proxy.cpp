#include "support/fault_proxy.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <stdexcept>

namespace leasehold::test {
namespace {

sockaddr_un address_of(std::string const& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  path.copy(out.sun_path, sizeof out.sun_path - 1);
  return out;
}

/// The bytes of the first whole RESP value; 0: there is none yet.
std::size_t frame_bytes(std::string_view in) {
  auto const end = in.find("\r\n");
  if (end == std::string_view::npos) return 0;
  auto const head = end + 2;
  auto const n = std::atoll(std::string(in.substr(1, end - 1)).c_str());
  if (in[0] == '$') {
    auto const all = head + (n < 0 ? 0 : static_cast<std::size_t>(n) + 2);
    return in.size() < all ? 0 : all;
  }
  if (in[0] != '*') return head;
  auto all = head;
  for (long long i = 0; i < n; ++i) {
    auto const one = all < in.size() ? frame_bytes(in.substr(all)) : 0;
    if (one == 0) return 0;
    all += one;
  }
  return all;
}

/// The `i`th word of a command.
std::string_view word(std::string_view frame, int i) {
  auto at = frame.find("\r\n") + 2;
  for (; i > 0; --i) at += frame_bytes(frame.substr(at));
  auto const text = at + frame.substr(at).find("\r\n") + 2;
  return frame.substr(text, frame.find("\r\n", text) - text);
}

bool is_greeting(std::string_view verb) {
  return verb == "AUTH" || verb == "CLIENT" || verb == "INFO" || verb == "SELECT" || verb == "SUBSCRIBE" ||
         verb == "SCRIPT" || verb == "FUNCTION";
}

/// How many leases a command is about: a renewal of many has an owner, a TTL and a delay for each of its keys.
std::int64_t weight(std::string_view frame) {
  if (!word(frame, 0).starts_with("EVAL")) return 1;
  auto const words = std::atoll(std::string(frame.substr(1)).c_str());
  auto const keys = std::atoll(std::string(word(frame, 2)).c_str());
  return words == 3 + 4 * keys ? keys : 1;
}

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
  auto const n = ::recv(fd, room.data(), room.size(), MSG_DONTWAIT);
  if (n > 0) into.append(room.data(), static_cast<std::size_t>(n));
  return n > 0;
}

}  // namespace

struct fault_proxy::leg {
  int client = -1;
  int server = -1;
  std::string up;
  std::string down;
  std::deque<bool> ends_with;  // for each request under way: whether its reply is lost
  bool is_subscription = false;

  ~leg() {
    ::close(client);
    ::close(server);
  }
};

fault_proxy::fault_proxy(std::string listen_at, std::string relay_to)
    : listen_at_(std::move(listen_at)), relay_to_(std::move(relay_to)) {
  listener_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto const at = address_of(listen_at_);
  if (::bind(listener_, reinterpret_cast<sockaddr const*>(&at), sizeof at) != 0 || ::listen(listener_, 64) != 0) {
    throw std::runtime_error("cannot listen on " + listen_at_);
  }
  thread_ = std::thread([this] { run(); });
}

fault_proxy::~fault_proxy() {
  ending_ = true;
  thread_.join();
  ::close(listener_);
  ::unlink(listen_at_.c_str());
}

void fault_proxy::run() {
  while (!ending_) {
    if (cut_now_.exchange(false)) legs_.clear();
    std::vector<pollfd> fds;
    if (!paused_) {
      fds.push_back({listener_, POLLIN, 0});
      for (auto const& l : legs_) {
        fds.push_back({l->client, POLLIN, 0});
        fds.push_back({l->server, POLLIN, 0});
      }
    }
    ::poll(fds.data(), fds.size(), 2);  // knobs are turned meanwhile
    if (fds.empty() || paused_) continue;
    std::vector<std::unique_ptr<leg>> alive;
    for (std::size_t i = 0; i < legs_.size(); ++i) {
      if (serve(*legs_[i], fds[2 * i + 1].revents, fds[2 * i + 2].revents)) alive.push_back(std::move(legs_[i]));
    }
    legs_ = std::move(alive);
    if (fds.front().revents != 0) accept_one();
  }
  legs_.clear();
}

void fault_proxy::accept_one() {
  auto l = std::make_unique<leg>();
  l->client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  l->server = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto const to = address_of(relay_to_);
  if (l->client < 0 || ::connect(l->server, reinterpret_cast<sockaddr const*>(&to), sizeof to) != 0) return;
  ++connections_;
  legs_.push_back(std::move(l));
}

bool fault_proxy::serve(leg& l, short client, short server) {
  if (client != 0 && (!receive(l.client, l.up) || !relay_up(l))) return false;
  return server == 0 || (receive(l.server, l.down) && relay_down(l));
}

bool fault_proxy::relay_up(leg& l) {
  while (auto const n = frame_bytes(l.up)) {
    if (!pass(l, std::string_view(l.up).substr(0, n))) return false;
    l.up.erase(0, n);
  }
  return true;
}

bool fault_proxy::pass(leg& l, std::string_view frame) {
  bool loses_reply = false;
  if (word(frame, 0) == "SUBSCRIBE") l.is_subscription = true;
  if (!is_greeting(word(frame, 0))) {
    if (requests_to_lose_ > 0) {
      requests_to_lose_ -= weight(frame);
      return false;
    }
    if (replies_to_lose_ > 0) {
      replies_to_lose_ -= weight(frame);
      loses_reply = true;
    }
    ++requests_;
    if (auto const left = cut_after_.load(); left >= 0) {
      auto const size = static_cast<std::int64_t>(frame.size());
      cut_after_ = left >= size ? left - size : -1;
      if (left < size) {
        send_all(l.server, frame.substr(0, static_cast<std::size_t>(left)));
        return false;
      }
    }
  }
  l.ends_with.push_back(loses_reply);
  return send_on(l.server, rewrites_.empty() ? std::string(frame) : rewritten(frame));
}

bool fault_proxy::send_on(int to, std::string_view bytes) const {
  for (auto const most = drip_.load(); most != 0 && bytes.size() > most; bytes.remove_prefix(most)) {
    if (ending_ || !send_all(to, bytes.substr(0, most))) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));  // the pace of the drip
  }
  return send_all(to, bytes);
}

std::string fault_proxy::rewritten(std::string_view frame) const {
  std::string out(frame);
  for (auto const& [from, to] : rewrites_) {
    for (auto at = out.find(from); at != std::string::npos; at = out.find(from, at + to.size()))
      out.replace(at, from.size(), to);
  }
  return out;
}

bool fault_proxy::relay_down(leg& l) {
  while (auto const n = frame_bytes(l.down)) {
    bool ends = false;
    if (!l.is_subscription && !l.ends_with.empty()) {
      ends = l.ends_with.front();
      l.ends_with.pop_front();
    }
    if (ends || !send_on(l.client, std::string_view(l.down).substr(0, n))) return false;
    l.down.erase(0, n);
  }
  return true;
}

}  // namespace leasehold::test
