#include "engines/redis/settings.hpp"

#include <charconv>

namespace leasehold::inline v0_1::redis {
namespace {

failure bad(std::string message, std::string hint = {}) {
  return {make_error_code(errc::bad_option), diagnostics(std::move(message), std::move(hint))};
}

constexpr duration max_ttl_least = std::chrono::seconds(1);
constexpr duration max_ttl_most = std::chrono::hours(24);

result<int> database(std::string_view text) {
  int db = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), db);
  bool const whole = !text.empty() && fault == std::errc{} && end == text.data() + text.size();
  if (!whole || db < 0 || text.front() == '-') {
    return bad("\"" + std::string(text) + "\" is no database", "a database is a number: redis://host:6379/0");
  }
  return db;
}

result<void> read_place(spi::url const& u, settings& out) {
  if (u.scheme == "redis+unix") {
    if (!u.hosts.empty()) return bad("redis+unix: takes no host", "write redis+unix:///path/to/redis.sock");
    if (!u.path.starts_with('/')) return bad("redis+unix: has no path", "write redis+unix:///path/to/redis.sock");
    constexpr std::size_t path_bytes_max = 107;
    if (u.path.size() > path_bytes_max) return bad("the path of the Unix socket is longer than 107 bytes");
    out.socket = u.path;
    out.shown = "redis at " + out.socket;
    if (auto const db = u.get("db")) {
      auto const number = database(*db);
      if (!number) return number.get_failure();
      out.db = *number;
    }
    return {};
  }
  if (u.hosts.size() > 1) return bad("redis: takes one server", "for several independent servers there is redlock:");
  out.tls.on = u.scheme == "rediss";
  out.host = u.hosts.empty() ? "localhost" : u.hosts.front().host;
  if (!u.hosts.empty() && u.hosts.front().port != 0) out.port = u.hosts.front().port;
  bool const v6 = out.host.find(':') != std::string::npos;
  out.shown = "redis at " + (v6 ? "[" + out.host + "]" : out.host) + ":" + std::to_string(out.port);
  if (u.path.empty() || u.path == "/") return {};
  auto const number = database(std::string_view(u.path).substr(1));
  if (!number) return number.get_failure();
  out.db = *number;
  return {};
}

result<bool> flag(spi::url const& u, std::string_view key, std::string_view no, std::string_view yes) {
  auto const text = u.get(key);
  if (!text || *text == no) return false;
  if (*text == yes) return true;
  return bad(std::string(key) + "=" + *text + " is unknown", "it takes " + std::string(no) + " or " + std::string(yes));
}

result<void> read_tls(spi::url const& u, tls_settings& out) {
  out.ca_file = u.get("ca").value_or("");
  out.cert_file = u.get("cert").value_or("");
  out.key_file = u.get("key").value_or("");
  out.server_name = u.get("server_name").value_or("");
  auto const insecure = flag(u, "insecure", "0", "1");
  if (!insecure) return insecure.get_failure();
  out.verify = !*insecure;
  if (out.cert_file.empty() != out.key_file.empty()) return bad("cert and key go together");
  return {};
}

}  // namespace

result<settings> settings_of(spi::url const& u) {
  settings out;
  auto const known = u.scheme == "rediss"
                         ? spi::check_query(u, {"safety", "max_ttl", "ca", "cert", "key", "server_name", "insecure"})
                     : u.scheme == "redis+unix" ? spi::check_query(u, {"safety", "max_ttl", "db"})
                                                : spi::check_query(u, {"safety", "max_ttl"});
  if (!known) return known.get_failure();
  if (auto ok = read_place(u, out); !ok) return ok.get_failure();
  if (!u.user.empty() && u.password.empty()) {
    return bad("the URL names a user without a password", "write redis://user:password@host, or :password@host");
  }
  out.url = u.redacted();
  out.user = u.user;
  out.password = u.password;
  auto const best = flag(u, "safety", "guarded", "best");
  if (!best) return best.get_failure();
  out.guarded = !*best;
  if (auto const text = u.get("max_ttl")) {
    auto const ttl = spi::parse_duration(*text);
    if (!ttl) return ttl.get_failure();
    if (*ttl < max_ttl_least || *ttl > max_ttl_most) return bad("max_ttl is out of range", "it takes 1s to 24h");
    out.max_ttl = *ttl;
  }
  if (auto ok = read_tls(u, out.tls); !ok) return ok.get_failure();
  return out;
}

}  // namespace leasehold::inline v0_1::redis
