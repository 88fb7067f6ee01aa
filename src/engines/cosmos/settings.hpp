// Decides what a cosmos URL says: which account, database and container, with which key, in which dialect.
#pragma once

#include "spi/url.hpp"

#include <leasehold/clock.hpp>

#include <cstdint>
#include <string>

namespace leasehold::inline v0_1::cosmos {

struct settings {
  std::string host;
  std::uint16_t port = 443;
  bool tls = true;      ///< `plain=1` turns it off: for emulators
  bool verify = true;   ///< `insecure=1` turns it off
  std::string ca_file;  ///< empty: the system's
  std::string database;
  std::string container;
  spi::secret key;       ///< decoded
  bool article = false;  ///< `dialect=article`
  duration max_ttl = std::chrono::seconds(60);
  std::string url;    ///< as given, without secrets
  std::string shown;  ///< where, for messages: "cosmos at host:443/db/container"; never a secret

  [[nodiscard]] std::string endpoint() const { return (tls ? "https://" : "http://") + authority(); }
  [[nodiscard]] std::string authority() const {
    bool const v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
  }
};

/// Of `cosmos://[:key@]account[:port]/database/container`; an account without a dot is one of the public cloud's. Keys: `key_file`,
/// `ca`, `insecure=1`, `plain=1`, `dialect=native|article`, `max_ttl`. The key is the URL's password, or what the file holds, or what
/// the environment's LEASEHOLD_COSMOS_KEY says. Errors: errc::bad_option; errc::misconfigured for a key file that cannot be read.
[[nodiscard]] result<settings> settings_of(spi::url const& u);

}  // namespace leasehold::inline v0_1::cosmos
