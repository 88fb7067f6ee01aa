// Decides what tests of `cosmos:` against the scripted service start from.
#pragma once

#include "support/fake_cosmos.hpp"
#include "support/http_server.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>
#include <poll.h>

#include <functional>
#include <memory>
#include <string>

namespace leasehold::test {

using namespace std::chrono_literals;

class cosmos_test : public testing::Test {
 protected:
  cosmos_test() { service_.port = front_.port(); }

  [[nodiscard]] std::string url(std::string_view query = {}) const {
    return fake_cosmos::url(front_.port()) + std::string(query);
  }
  [[nodiscard]] store client(std::string_view query = {}) const { return open(url(query)); }
  static std::error_code error_of(std::function<void()> const& what, std::string* text = nullptr) {
    try {
      what();
    } catch (error const& e) {
      if (text != nullptr)
        *text = std::string(e.details().message()) + "|" + std::string(e.details().hint()) + "|" + e.what();
      return e.code();
    }
    return {};
  }
  static bool eventually(std::function<bool()> const& holds, duration at_most = 10s) {
    for (auto const end = clock::now() + at_most; !holds(); ::poll(nullptr, 0, 2)) {
      if (clock::now() > end) return false;
    }
    return true;
  }

  fake_cosmos service_;
  http_server front_{service_.handler()};
};

}  // namespace leasehold::test
