#include "engines/redis/metadata.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace leasehold::inline v0_1::redis {
namespace {

std::string const& host_name() {
  static std::string const name = [] {
    std::array<char, 256> text{};
    return ::gethostname(text.data(), text.size() - 1) == 0 ? std::string(text.data()) : std::string("localhost");
  }();
  return name;
}

void append_escaped(std::string& out, std::string_view text) {
  for (char const c : text) {
    auto const byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte != 0x7F && c != '%' && c != '&' && c != '=') {
      out.push_back(c);
    } else {
      out += {'%', "0123456789ABCDEF"[byte >> 4], "0123456789ABCDEF"[byte & 15]};
    }
  }
}

int hex_digit(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    int const high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    int const low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low < 0) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

template <class T>
T number(std::string_view text) noexcept {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

duration milliseconds(std::string_view text) noexcept {
  constexpr std::int64_t most = std::numeric_limits<duration::rep>::max() / 1'000'000;
  return std::chrono::milliseconds(std::clamp<std::int64_t>(number<std::int64_t>(text), 0, most));
}

void read_pair(description& out, std::string_view key, std::string_view value) {
  if (key == "o") out.owner = value;
  if (key == "t") out.who.token = number<std::uint64_t>(value);
  if (key == "at") out.at_ms = number<std::int64_t>(value);
  if (key == "gone") out.gone_ms = number<std::int64_t>(value);
  if (key == "n") out.who.note = unescaped(value);
  if (key == "ttl") out.who.ttl = milliseconds(value);
  if (key == "d") out.lock_delay = milliseconds(value);
  if (key == "id") out.who.identity = unescaped(value);
  if (key == "host") out.who.host = unescaped(value);
  if (key == "pid") out.who.pid = number<std::int64_t>(value);
  if (key == "why") out.who.reason = unescaped(value);
  if (key.starts_with("l.")) out.who.labels.emplace_back(unescaped(key.substr(2)), unescaped(value));
}

}  // namespace

std::string describe(spi::claim_spec const& spec, duration ttl) {
  auto const pid = std::to_string(::getpid());
  auto const in_ms = [](duration d) {
    return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
  };
  std::string out = "&ttl=" + in_ms(ttl) + "&d=" + in_ms(spec.lock_delay) + "&id=";
  append_escaped(out, spec.identity.empty() ? host_name() + "/" + pid : std::string(spec.identity));
  out += "&host=";
  append_escaped(out, host_name());
  out += "&pid=" + pid;
  if (!spec.reason.empty()) {
    out += "&why=";
    append_escaped(out, spec.reason);
  }
  for (auto const& l : spec.labels) {
    out += "&l.";
    append_escaped(out, l.key);
    out += "=";
    append_escaped(out, l.value);
  }
  return out;
}

std::string escaped(std::string_view text) {
  std::string out;
  append_escaped(out, text);
  return out;
}

description read_description(std::string_view line) {
  description out;
  line = line.substr(0, line.find('\n'));
  while (!line.empty()) {
    auto const pair = line.substr(0, line.find('&'));
    line.remove_prefix(std::min(pair.size() + 1, line.size()));
    if (auto const equals = pair.find('='); equals != std::string_view::npos) {
      read_pair(out, pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  return out;
}

}  // namespace leasehold::inline v0_1::redis
