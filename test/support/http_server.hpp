// Decides how tests play the server side of HTTP: a handler answers; what comes in its way can be paused, lost and counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace leasehold::test {

struct http_request {
  std::string verb;
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;

  [[nodiscard]] std::string header(std::string const& name) const {
    auto const at = headers.find(name);
    return at == headers.end() ? std::string() : at->second;
  }
  [[nodiscard]] bool writes() const { return verb != "GET" && header("x-ms-documentdb-isquery").empty(); }
};
struct http_reply {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};
/// Nullopt: the connection breaks off within the answer. Called from several threads.
using http_handler = std::function<std::optional<http_reply>(http_request const&)>;

/// Listens on a port of the loopback interface; one thread per connection. Thread-safe.
class http_server {
 public:
  explicit http_server(http_handler answers);
  http_server(http_server const&) = delete;
  http_server& operator=(http_server const&) = delete;
  ~http_server();

  [[nodiscard]] int port() const noexcept { return port_; }
  /// Nothing is answered until `resume`; then everything is, late.
  void pause() { paused_ = true; }
  void resume() { paused_ = false; }
  /// The connection ends instead of the next `n` requests; they are never carried out.
  void lose_requests(std::int64_t n) { requests_to_lose_ = n; }
  /// From the next request that writes on, `n` requests are carried out, and the connection ends instead of their answer.
  void lose_replies(std::int64_t n) {
    loses_replies_ = false;
    replies_to_lose_ = n;
  }
  /// Ends all connections.
  void cut();
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }
  [[nodiscard]] std::uint64_t connections() const noexcept { return connections_; }

 private:
  void listen();
  void serve(int fd);
  std::optional<http_reply> answer(http_request const& r);

  http_handler const answers_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_{false};
  std::atomic<bool> paused_{false};
  std::atomic<std::int64_t> requests_to_lose_{0};
  std::atomic<std::int64_t> replies_to_lose_{0};
  std::atomic<bool> loses_replies_{false};
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::uint64_t> connections_{0};
  std::mutex guard_;
  std::list<int> open_;
  std::list<std::thread> threads_;  // the listener's
  std::thread thread_;
};

/// A handler that hands everything on to a server at that port of the loopback interface.
[[nodiscard]] http_handler forward_to(int port);

}  // namespace leasehold::test
