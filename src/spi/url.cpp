#include "spi/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <numeric>

namespace leasehold::inline v0_1::spi {
namespace {

failure bad(std::string message, std::string hint = {}) {
  return {make_error_code(errc::bad_option), diagnostics(std::move(message), std::move(hint))};
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// `what` names the part in the error; its text is not repeated, because it may be a secret.
result<std::string> decode(std::string_view text, std::string_view what) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int const high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int const low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return bad("bad percent-escape in the URL's " + std::string(what), "write a % itself as %25");
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return bad("control character in the URL's " + std::string(what), "remove it");
    }
    out.push_back(c);
  }
  return out;
}

/// Of IPv6 addresses and their zones.
bool is_address_letter(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         std::string_view(":.%-_").find(c) < 5;
}

result<endpoint> parse_endpoint(std::string_view text) {
  endpoint e;
  auto rest = text;
  if (!rest.empty() && rest.front() == '[') {
    auto const close = rest.find(']');
    if (close == std::string_view::npos) return bad("the host has [ without ]", "write an IPv6 address as [::1]");
    auto host = decode(rest.substr(1, close - 1), "host");
    if (!host) return host.get_failure();
    e.host = std::move(*host);
    if (!std::all_of(e.host.begin(), e.host.end(), is_address_letter)) return bad("bad host in the URL's [ ]");
    rest.remove_prefix(close + 1);
  } else {
    auto const colon = rest.find(':');
    auto host = decode(rest.substr(0, colon), "host");
    if (!host) return host.get_failure();
    e.host = std::move(*host);
    if (e.host.find(':') != std::string::npos)
      return bad("a host in the URL has a colon", "write an IPv6 address as [::1]");
    rest.remove_prefix(std::min(colon, rest.size()));
  }
  if (e.host.empty()) return bad("a host in the URL is empty");
  if (rest.empty()) return e;
  auto const digits = rest.substr(1);
  auto const [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), e.port);
  bool const whole = fault == std::errc{} && end == digits.data() + digits.size();
  if (rest.front() != ':' || !whole || e.port == 0) return bad("bad port after host " + e.host, "a port is 1 to 65535");
  return e;
}

result<void> parse_authority(std::string_view text, url& out) {
  if (auto const at = text.rfind('@'); at != std::string_view::npos) {
    auto const who = text.substr(0, at);
    auto const colon = who.find(':');
    auto user = decode(who.substr(0, colon), "user");
    if (!user) return user.get_failure();
    out.user = std::move(*user);
    if (colon != std::string_view::npos) {
      auto password = decode(who.substr(colon + 1), "password");
      if (!password) return password.get_failure();
      out.password = secret(std::move(*password));
    }
    text.remove_prefix(at + 1);
  }
  if (text.empty()) return {};
  for (;;) {
    auto const comma = text.find(',');
    auto host = parse_endpoint(text.substr(0, comma));
    if (!host) return host.get_failure();
    out.hosts.push_back(std::move(*host));
    if (comma == std::string_view::npos) return {};
    text.remove_prefix(comma + 1);
  }
}

result<void> parse_query(std::string_view text, url& out) {
  while (!text.empty()) {
    auto const end = text.find('&');
    auto const part = text.substr(0, end);
    auto const equals = part.find('=');
    auto key = decode(part.substr(0, equals), "query");
    if (!key) return key.get_failure();
    if (key->empty()) return bad("a query key in the URL is empty");
    auto value = decode(equals == std::string_view::npos ? std::string_view{} : part.substr(equals + 1), "query");
    if (!value) return value.get_failure();
    out.query.emplace_back(std::move(*key), std::move(*value));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return {};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      auto const change = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = std::exchange(row[j], std::min({change, row[j] + 1, row[j - 1] + 1}));
    }
  }
  return row[b.size()];
}

/// Rather one key too many: a value that is hidden in vain does no harm.
bool is_secret_key(std::string_view key) {
  std::string lower(key);
  std::transform(key.begin(), key.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  static constexpr std::array<std::string_view, 7> marks{"pass", "pwd", "key", "secret", "token", "auth", "cred"};
  return lower == "node" ||
         std::any_of(marks.begin(), marks.end(), [&](auto m) { return lower.find(m) != std::string::npos; });
}

/// Percent-escapes what would read as something else in that part of a URL.
std::string encode(std::string_view text, std::string_view reserved) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string out;
  for (char const c : text) {
    if (c != '%' && reserved.find(c) == std::string_view::npos) {
      out.push_back(c);
      continue;
    }
    auto const byte = static_cast<unsigned char>(c);
    out += {'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

}  // namespace

std::optional<std::string> url::get(std::string_view key) const {
  auto const found = std::find_if(query.begin(), query.end(), [&](auto const& q) { return q.first == key; });
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

std::string url::redacted() const {
  std::string out = scheme + ":";
  bool const has_authority = !hosts.empty() || !user.empty() || !password.empty() || path.starts_with("//");
  if (has_authority) out += "//";
  out += encode(user, ":/?@");
  if (!password.empty()) out += ":***";
  if (!user.empty() || !password.empty()) out += "@";
  for (std::size_t i = 0; i < hosts.size(); ++i) {
    bool const v6 = hosts[i].host.find(':') != std::string::npos;
    out += (i == 0 ? "" : ",") + (v6 ? "[" + encode(hosts[i].host, {}) + "]" : encode(hosts[i].host, ",/?@["));
    if (hosts[i].port != 0) out += ":" + std::to_string(hosts[i].port);
  }
  out += encode(path, "?");
  for (std::size_t i = 0; i < query.size(); ++i) {
    auto const& [key, value] = query[i];
    out += (i == 0 ? "?" : "&") + encode(key, "=&") + "=" + (is_secret_key(key) ? "***" : encode(value, "&"));
  }
  return out;
}

result<url> parse_url(std::string_view text) {
  constexpr std::size_t url_bytes_max = 8192;
  if (text.size() > url_bytes_max) return bad("the store URL is longer than 8192 bytes");
  auto const colon = text.find(':');
  if (text.empty() || colon == std::string_view::npos || colon == 0) {
    return bad("the store URL has no scheme", "write for instance local: or local:/var/lib/app/locks");
  }
  url out;
  for (char const c : text.substr(0, colon)) {
    bool const letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool const later = (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
    if (!letter && !(later && !out.scheme.empty())) return bad("the store URL has no valid scheme");
    out.scheme.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  auto rest = text.substr(colon + 1);
  auto const question = rest.find('?');
  if (question != std::string_view::npos) {
    if (auto ok = parse_query(rest.substr(question + 1), out); !ok) return ok.get_failure();
    rest = rest.substr(0, question);
  }
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    auto const slash = std::min(rest.find('/'), rest.size());
    if (auto ok = parse_authority(rest.substr(0, slash), out); !ok) return ok.get_failure();
    rest.remove_prefix(slash);
  }
  auto path = decode(rest, "path");
  if (!path) return path.get_failure();
  out.path = std::move(*path);
  return out;
}

result<void> check_query(url const& u, std::initializer_list<std::string_view> known) {
  std::vector<std::string_view> all{"lazy", "require"};
  all.insert(all.end(), known);
  for (auto const& [key, value] : u.query) {
    if (std::find(all.begin(), all.end(), key) != all.end()) continue;
    auto const nearest = *std::min_element(
        all.begin(), all.end(), [&k = key](auto a, auto b) { return edit_distance(k, a) < edit_distance(k, b); });
    auto const hint = edit_distance(key, nearest) <= 2 ? "did you mean " + std::string(nearest) + "?"
                                                       : std::string("see: leasehold help stores");
    return bad(u.scheme + ": does not know the query key \"" + key + "\"", hint);
  }
  return {};
}

result<duration> parse_duration(std::string_view text) {
  struct unit {
    std::string_view name;
    double nanoseconds;
  };
  static constexpr std::array<unit, 8> units{
      {{"", 1e9}, {"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}, {"d", 86400e9}}};
  double number = 0;
  auto const [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  auto const suffix = std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end));
  auto const found = std::find_if(units.begin(), units.end(), [&](auto const& u) { return u.name == suffix; });
  constexpr auto hint = "write for instance 500ms, 30s, 5m, 2h, 1d, or a number of seconds";
  bool const begins_well =
      !text.empty() && (text[0] == '.' || (text[0] >= '0' && text[0] <= '9'));  // no sign, no "nan"
  if (fault != std::errc{} || found == units.end() || !begins_well) {
    return bad("\"" + std::string(text.substr(0, 32)) + "\" is not a duration", hint);
  }
  auto const ns = number * found->nanoseconds;
  if (ns >= static_cast<double>(std::numeric_limits<duration::rep>::max())) {
    return bad("the duration " + std::string(text.substr(0, 32)) + " is too long", hint);
  }
  return duration(std::llround(ns));
}

}  // namespace leasehold::inline v0_1::spi
