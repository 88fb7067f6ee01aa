// Decides how one connection to a broker is made, and how what librabbitmq reads and writes looks to the rest of the engine.
#pragma once

#include "engines/rabbitmq/settings.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace leasehold::inline v0_1::rabbitmq {

/// Locks are consumed, published and acknowledged on the first; the broker closes the second whenever a question offends it; stores
/// talk to each other on the third.
enum class channel : std::uint16_t { work = 1, look = 2, talk = 3 };

/// One thing that the broker said.
struct incoming {
  enum class kind { reply, confirm, refuse, deliver, returned, cancelled, channel_closed };
  kind what = kind::reply;
  rabbitmq::channel on = channel::work;
  std::uint64_t tag = 0;  ///< of a confirm, refusal or delivery
  bool multiple = false;
  bool redelivered = false;
  std::uint32_t messages = 0;  ///< of a declared queue: not delivered yet
  std::uint32_t consumers = 0;
  std::uint16_t code = 0;  ///< why the channel was closed, and in words
  std::string text;
  std::string consumer;  ///< tag, of a delivery or a cancellation
  std::string body;
};

/// One connection, its channels open. Not thread-safe. After a failure of `next`, or once `is_broken`, nothing is sent any more.
class wire {
 public:
  /// Blocks for `at_most` per step. Errors: errc::unsupported without the library, bad files: misconfigured, auth, unavailable.
  [[nodiscard]] static result<std::unique_ptr<wire>> connect(settings const& to, spi::endpoint const& at,
                                                             duration at_most);
  ~wire();
  wire(wire const&) = delete;
  wire& operator=(wire const&) = delete;

  [[nodiscard]] int fd() const noexcept;
  /// As agreed with the broker.
  [[nodiscard]] std::chrono::seconds heartbeat() const noexcept;
  [[nodiscard]] std::string const& server() const noexcept;   ///< product and version
  [[nodiscard]] std::string const& mailbox() const noexcept;  ///< the queue on which this store is asked and answered
  [[nodiscard]] bool is_broken() const noexcept;

  /// What has come, without waiting; sends heartbeats that are due.
  [[nodiscard]] result<std::optional<incoming>> next();

  void declare(std::string_view queue, bool passive);
  void declare_latch(std::string_view queue);  ///< one that only this connection may have
  void barrier(channel on);                    ///< a request that changes nothing and is answered
  void consume(std::string_view queue, std::string_view tag);
  void cancel(std::string_view tag);
  void publish(channel on, std::string_view exchange, std::string_view key, std::string_view body);
  void ack(std::uint64_t delivery);
  void give_back(std::uint64_t delivery);
  void remove(std::string_view queue);
  void reopen_look();
  /// A farewell, for as long as `at_most`.
  void close(duration at_most) noexcept;

 public:
  struct parts;  ///< for the files that speak librabbitmq

 private:
  explicit wire(std::unique_ptr<parts> p);
  std::unique_ptr<parts> p_;
};

}  // namespace leasehold::inline v0_1::rabbitmq
