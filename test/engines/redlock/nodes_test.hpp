// Decides what tests on several real Redis servers start from; they skip where none is installed.
#pragma once

#include "support/redis_server.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <poll.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {

using namespace std::chrono_literals;

/// `&node=` for a server behind a Unix socket.
[[nodiscard]] inline std::string node_at(std::string const& socket) {
  std::string out = "&node=redis%2Bunix://";
  return out + socket;
}

class redlock_test : public testing::Test {
 protected:
  void SetUp() override {
    if (!redis_server::is_installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  /// `count` servers, initialized for `max_ttl` = probation = 2 s.
  void start(std::size_t count = 5, std::vector<std::string> const& arguments = {}) {
    for (std::size_t i = 0; i < count; ++i) servers_.push_back(std::make_unique<redis_server>(arguments));
    initialize(url());
  }
  [[nodiscard]] std::string url() const {
    std::string out = "redlock:?max_ttl=2s";
    for (auto const& s : servers_) out += node_at(s->socket());
    return out;
  }
  [[nodiscard]] store client() const { return open(url()); }
  /// A client that cannot reach the other nodes of the same list.
  [[nodiscard]] store client_of(std::vector<std::size_t> const& reachable) const {
    std::string out = "redlock:?max_ttl=2s&list=cut";
    for (std::size_t i = 0; i < servers_.size(); ++i) {
      bool const is_there = std::find(reachable.begin(), reachable.end(), i) != reachable.end();
      out += node_at(is_there ? servers_[i]->socket() : "/nonexistent/" + std::to_string(i));
    }
    return open(out);
  }
  void initialize_as_cut() const {
    std::string out = "redlock:?max_ttl=2s&list=cut";
    for (auto const& s : servers_) out += node_at(s->socket());
    initialize(out);
  }
  std::string ask(std::size_t node, std::initializer_list<std::string_view> words) const {
    return servers_[node]->command(words);
  }
  void pause(std::vector<std::size_t> const& nodes) const {
    for (auto const i : nodes) servers_[i]->pause();
  }
  void resume(std::vector<std::size_t> const& nodes) const {
    for (auto const i : nodes) servers_[i]->resume();
  }

  static bool eventually(std::function<bool()> const& holds, duration at_most = 20s) {
    for (auto const end = clock::now() + at_most; !holds();) {
      if (clock::now() > end) return false;
      ::poll(nullptr, 0, 5);
    }
    return true;
  }
  static bool gets(store const& on, std::string_view name) {
    auto const tried = on.try_acquire(name, {.ttl = 1s}, std::nothrow);
    return tried && *tried;
  }
  static std::error_code try_error(store const& on, std::string_view name,
                                   acquire_options const& options = {.ttl = 1s}) {
    auto const tried = on.try_acquire(name, options, std::nothrow);
    return tried ? std::error_code{} : tried.error();
  }

  std::vector<std::unique_ptr<redis_server>> servers_;
};

}  // namespace leasehold::test
