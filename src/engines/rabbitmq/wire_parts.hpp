// Decides what a connection is made of, for those two files that speak librabbitmq.
#pragma once

#include "engines/rabbitmq/library.hpp"
#include "engines/rabbitmq/wire.hpp"

#if defined(LEASEHOLD_WITH_RABBITMQ)

namespace leasehold::inline v0_1::rabbitmq {

[[nodiscard]] inline amqp_bytes_t bytes_of(std::string_view text) noexcept {
  return {text.size(), const_cast<char*>(text.data())};
}
[[nodiscard]] inline std::string text_of(amqp_bytes_t b) { return {static_cast<char const*>(b.bytes), b.len}; }
[[nodiscard]] inline amqp_channel_t number_of(channel c) noexcept { return static_cast<amqp_channel_t>(c); }

struct wire::parts {
  explicit parts(library const& l) : lib(l), connection(l.new_connection()) {}
  parts(parts const&) = delete;
  parts& operator=(parts const&) = delete;
  ~parts() { lib.destroy_connection(connection); }

  template <class M>
  void send(channel on, amqp_method_number_t method, M& what) {
    if (!broken) failed_with(lib.send(connection, number_of(on), method, &what));
  }
  void failed_with(int status) {
    if (status >= 0 || broken) return;
    broken = true;
    why = lib.error_text(status);
  }

  library const& lib;
  amqp_connection_state_t connection;
  std::string shown;
  std::string server;
  std::string mailbox;
  bool knows_delivery_limit = false;  ///< 4.0 and later, where its absence means 20
  bool broken = false;
  std::string why;
  std::optional<incoming> content;  ///< a delivery of which the body has not come yet
  std::uint64_t content_left = 0;
  bool content_begun = false;
};

}  // namespace leasehold::inline v0_1::rabbitmq

#endif
