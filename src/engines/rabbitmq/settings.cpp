#include "engines/rabbitmq/settings.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

failure bad(std::string message, std::string hint = {}) {
  return {make_error_code(errc::bad_option), diagnostics(std::move(message), std::move(hint))};
}

constexpr std::uint16_t plain_port = 5672;
constexpr std::uint16_t tls_port = 5671;

std::string shown_place(spi::endpoint const& e) {
  bool const v6 = e.host.find(':') != std::string::npos;
  return (v6 ? "[" + e.host + "]" : e.host) + ":" + std::to_string(e.port);
}

void read_hosts(spi::url const& u, settings& out) {
  out.hosts = u.hosts;
  if (out.hosts.empty()) out.hosts.push_back({"localhost", 0});
  out.shown = "rabbitmq at ";
  for (auto& h : out.hosts) {
    if (h.port == 0) h.port = out.tls ? tls_port : plain_port;
    out.shown += (&h == out.hosts.data() ? "" : ",") + shown_place(h);
  }
}

/// "" and "/" are the default vhost, which is itself called "/"; "/x" is vhost x, "/%2F" is "/" once more.
result<void> read_vhost(spi::url const& u, settings& out) {
  if (u.path.size() > 1) out.vhost = u.path.substr(1);
  constexpr std::size_t vhost_bytes_max = 255;
  if (out.vhost.size() > vhost_bytes_max) return bad("the vhost is longer than 255 bytes");
  return {};
}

result<void> read_times(spi::url const& u, settings& out) {
  if (auto const text = u.get("heartbeat")) {
    auto const every = spi::parse_duration(*text);
    if (!every) return every.get_failure();
    constexpr std::chrono::seconds most{300};
    out.heartbeat = std::chrono::duration_cast<std::chrono::seconds>(*every);
    if (out.heartbeat != *every || *every < std::chrono::seconds(1) || *every > most) {
      return bad("heartbeat=" + *text + " is out of range",
                 "it takes whole seconds, 1s to 300s; a lease is good for twice as long");
    }
  }
  if (auto const text = u.get("consumer_timeout")) {
    auto const limit = spi::parse_duration(*text);
    if (!limit) return limit.get_failure();
    if (*limit < std::chrono::seconds(1))
      return bad("consumer_timeout is out of range", "it takes 1s or more: what rabbitmq.conf says");
    out.consumer_timeout = *limit;
  }
  return {};
}

result<void> read_prefix(spi::url const& u, settings& out) {
  auto const text = u.get("prefix");
  if (!text) return {};
  bool const plain = std::ranges::all_of(*text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
  constexpr std::size_t prefix_bytes_max = 32;
  if (!plain || text->empty() || text->size() > prefix_bytes_max || text->starts_with("amq.")) {
    return bad("prefix=" + *text + " is no prefix",
               "it takes 1 to 32 letters, digits, '-', '_' and '.', not beginning with amq.");
  }
  out.prefix = *text;
  return {};
}

result<void> read_tls(spi::url const& u, settings& out) {
  out.ca_file = u.get("ca").value_or("");
  out.cert_file = u.get("cert").value_or("");
  out.key_file = u.get("key").value_or("");
  if (out.cert_file.empty() != out.key_file.empty()) return bad("cert and key go together");
  auto const insecure = u.get("insecure").value_or("0");
  if (insecure != "0" && insecure != "1") return bad("insecure=" + insecure + " is unknown", "it takes 0 or 1");
  out.verify = insecure == "0";
  if (out.tls && out.verify && out.ca_file.empty()) {
    return bad("amqps: needs ca=FILE",
               "name the file with the authority's certificate (the system's: /etc/ssl/certs/ca-certificates.crt)");
  }
  return {};
}

}  // namespace

result<settings> settings_of(spi::url const& u) {
  settings out;
  out.tls = u.scheme == "amqps";
  auto const known =
      out.tls ? spi::check_query(u, {"heartbeat", "consumer_timeout", "prefix", "ca", "cert", "key", "insecure"})
              : spi::check_query(u, {"heartbeat", "consumer_timeout", "prefix"});
  if (!known) return known.get_failure();
  read_hosts(u, out);
  if (auto ok = read_vhost(u, out); !ok) return ok.get_failure();
  if (!u.user.empty()) {
    out.user = u.user;
    out.password = u.password;
  }
  if (auto ok = read_times(u, out); !ok) return ok.get_failure();
  if (auto ok = read_prefix(u, out); !ok) return ok.get_failure();
  if (auto ok = read_tls(u, out); !ok) return ok.get_failure();
  out.url = u.redacted();
  return out;
}

}  // namespace leasehold::inline v0_1::rabbitmq
