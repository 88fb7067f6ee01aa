// Decides what tests on a real Redis server start from; they skip where none is installed.
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

class redis_test : public testing::Test {
 protected:
  void SetUp() override {
    if (!redis_server::is_installed()) GTEST_SKIP() << "redis-server is not installed";
  }
  /// `server_` comes up, with what it needs beyond the defaults.
  void start(std::vector<std::string> arguments = {}) {
    server_ = std::make_unique<redis_server>(std::move(arguments));
  }
  /// The same, initialized for `max_ttl` = probation = 2 s.
  void start_ready(std::vector<std::string> arguments = {}) {
    start(std::move(arguments));
    initialize(url());
  }
  [[nodiscard]] std::string url() const { return server_->url("?max_ttl=2s"); }
  [[nodiscard]] store client() const { return open(url()); }
  std::string ask(std::initializer_list<std::string_view> words) const { return server_->command(words); }

  static bool eventually(std::function<bool()> const& holds, duration at_most = 20s) {
    for (auto const end = clock::now() + at_most; !holds();) {
      if (clock::now() > end) return false;
      ::poll(nullptr, 0, 5);
    }
    return true;
  }
  static std::error_code try_error(store const& on, std::string_view name,
                                   acquire_options const& options = {.ttl = 1s}) {
    auto const tried = on.try_acquire(name, options, std::nothrow);
    return tried ? std::error_code{} : tried.error();
  }

  std::unique_ptr<redis_server> server_;
};

}  // namespace leasehold::test
