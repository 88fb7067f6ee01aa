// Decides what an amqp URL says: where the broker is, as whom, how often it hears from us. Pure.
#pragma once

#include "spi/url.hpp"

#include <leasehold/clock.hpp>

#include <string>
#include <vector>

namespace leasehold::inline v0_1::rabbitmq {

struct settings {
  std::vector<spi::endpoint> hosts;  ///< at least one, with ports; one broker or nodes of one cluster
  std::string user = "guest";
  spi::secret password{"guest"};
  std::string vhost = "/";
  std::chrono::seconds heartbeat{10};
  duration consumer_timeout = std::chrono::minutes(30);  ///< what the broker allows a message to stay unacknowledged
  std::string prefix = "lh";                             ///< of the names of our queues and of our exchange
  bool tls = false;
  bool verify = true;  ///< `insecure=1` turns it off
  std::string ca_file;
  std::string cert_file;
  std::string key_file;
  std::string url;    ///< as given, without secrets
  std::string shown;  ///< where, for messages: "rabbitmq at localhost:5672"; never a secret

  /// A lease is not good for longer: the broker drops who is silent after three heartbeats, and a holder must know before.
  [[nodiscard]] duration ttl_max() const noexcept { return 2 * heartbeat; }
};

/// Of `amqp[s]://[user:password@]host[:port][,host…][/vhost]`; keys `heartbeat` (whole seconds), `consumer_timeout`, `prefix`, and with
/// TLS `ca`, `cert`, `key`, `insecure=1`. Errors: errc::bad_option.
[[nodiscard]] result<settings> settings_of(spi::url const& u);

}  // namespace leasehold::inline v0_1::rabbitmq
