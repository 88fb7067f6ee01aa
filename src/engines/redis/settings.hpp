// Decides what a redis URL says: where the server is, as whom, how safe. Pure.
#pragma once

#include "spi/url.hpp"

#include <leasehold/clock.hpp>

#include <cstdint>
#include <string>

namespace leasehold::inline v0_1::redis {

struct tls_settings {
  bool on = false;
  bool verify = true;     ///< `insecure=1` turns it off
  std::string ca_file;    ///< empty: the system's
  std::string cert_file;  ///< of the client; empty: none
  std::string key_file;
  std::string server_name;  ///< expected in the certificate; empty: the host
};

struct settings {
  std::string socket;  ///< of a Unix socket; empty: host and port
  std::string host;
  std::uint16_t port = 6379;
  std::string user;
  spi::secret password;
  int db = 0;
  bool guarded = true;  ///< false: `safety=best`
  duration max_ttl = std::chrono::seconds(60);
  tls_settings tls;
  std::string url;    ///< as given, without secrets
  std::string shown;  ///< where, for messages: "redis at localhost:6379"; never a secret
};

/// Of `redis://[user[:password]@]host[:port][/db]`, `rediss://…` (TLS), `redis+unix://[user[:password]@]/path[?db=N]`; keys
/// `safety=best|guarded`, `max_ttl`, and with TLS `ca`, `cert`, `key`, `server_name`, `insecure=1`. Errors: errc::bad_option.
[[nodiscard]] result<settings> settings_of(spi::url const& u);

}  // namespace leasehold::inline v0_1::redis
