// Decides what tests on a real RabbitMQ broker start from; they skip where none is installed.
#pragma once

#include "engines/rabbitmq/names.hpp"
#include "engines/rabbitmq/token.hpp"
#include "engines/rabbitmq/wire.hpp"
#include "support/rabbitmq_broker.hpp"
#include "support/tcp_relay.hpp"

#include <leasehold/leasehold.hpp>

#include <gtest/gtest.h>

#include <poll.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace leasehold::test {

using namespace std::chrono_literals;

class rabbitmq_test : public testing::Test {
 protected:
  void SetUp() override {
    if (!rabbitmq_broker::is_installed()) GTEST_SKIP() << "rabbitmq-server is not installed";
    broker_ = &rabbitmq_broker::get();
  }
  [[nodiscard]] std::string query(std::string_view more = "") const {
    return "heartbeat=2&consumer_timeout=6s&prefix=" + prefix_ + std::string(more);
  }
  [[nodiscard]] store client(std::string_view more = "") const { return open(broker_->url(query(more))); }
  /// A client of its own behind a relay of its own.
  store relayed(std::string_view more = "") {
    relay_ = std::make_unique<tcp_relay>(broker_->port());
    return open(rabbitmq_broker::url_at(relay_->port(), query(more)));
  }
  [[nodiscard]] std::string queue(std::string_view name) const { return rabbitmq::queue_of(prefix_, name); }

  static bool eventually(std::function<bool()> const& holds, duration at_most = 20s) {
    for (auto const end = clock::now() + at_most; !holds();) {
      if (clock::now() > end) return false;
      ::poll(nullptr, 0, 5);
    }
    return true;
  }
  static std::error_code open_error(std::string const& url, diagnostics* why = nullptr) {
    std::error_code ec;
    static_cast<void>(open(url, {}, ec, why));
    return ec;
  }

  rabbitmq_broker* broker_ = nullptr;
  std::string const prefix_ = rabbitmq_broker::new_prefix();
  std::unique_ptr<tcp_relay> relay_;
};

/// Somebody with a connection of his own who does not go by our rules.
class stranger {
 public:
  explicit stranger(rabbitmq_broker const& at, std::string const& prefix) {
    rabbitmq::settings to;
    to.hosts.push_back({"127.0.0.1", static_cast<std::uint16_t>(at.port())});
    to.prefix = prefix;
    line_ = std::move(rabbitmq::wire::connect(to, to.hosts.front(), 5s)).value();
  }
  void publish(std::string const& queue, std::string_view body) {
    line_->publish(rabbitmq::channel::work, "", queue, body);
    await(rabbitmq::incoming::kind::confirm);
  }
  rabbitmq::incoming declare_exclusive(std::string const& queue) {
    line_->declare_latch(queue);
    return await(rabbitmq::incoming::kind::reply);
  }
  rabbitmq::incoming count(std::string const& queue) {
    line_->declare(queue, true);
    return await(rabbitmq::incoming::kind::reply);
  }
  void remove(std::string const& queue) {
    line_->remove(queue);
    await(rabbitmq::incoming::kind::reply);
  }
  /// What lies in a free lock's queue is gone, as after a purge.
  void steal(std::string const& queue) {
    line_->consume(queue, "thief");
    line_->ack(await(rabbitmq::incoming::kind::deliver).tag);
    line_->cancel("thief");
    await(rabbitmq::incoming::kind::reply);
  }

 private:
  rabbitmq::incoming await(rabbitmq::incoming::kind what) {
    for (auto const end = clock::now() + 5s; clock::now() < end; ::poll(nullptr, 0, 1)) {
      auto const got = line_->next().value();
      if (got && (got->what == what || got->what == rabbitmq::incoming::kind::channel_closed)) return *got;
    }
    ADD_FAILURE() << "the broker does not answer";
    return {};
  }
  std::unique_ptr<rabbitmq::wire> line_;
};

}  // namespace leasehold::test
