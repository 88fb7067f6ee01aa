#include "engines/rabbitmq/token.hpp"

#include "engines/rabbitmq/timing.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <tuple>

namespace leasehold::inline v0_1::rabbitmq {
namespace {

constexpr std::string_view format = "lh1";

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

std::string_view word_for(token::condition c) noexcept {
  return c == token::condition::free ? "free" : c == token::condition::held ? "held" : "owed";
}

}  // namespace

fields::fields(std::string_view text) {
  while (!text.empty()) {
    auto const pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(pair.size() + 1, text.size()));
    auto const equals = std::min(pair.find('='), pair.size());
    auto const value = equals < pair.size() ? pair.substr(equals + 1) : std::string_view{};
    pairs_.emplace_back(unescaped(pair.substr(0, equals)), unescaped(value));
  }
}

void fields::add(std::string_view key, std::string_view value) { pairs_.emplace_back(key, value); }

std::string_view fields::get(std::string_view key) const noexcept {
  auto const found = std::ranges::find(pairs_, key, &std::pair<std::string, std::string>::first);
  return found == pairs_.end() ? std::string_view{} : std::string_view(found->second);
}

std::uint64_t fields::number(std::string_view key) const noexcept {
  auto const text = get(key);
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

duration fields::ms(std::string_view key) const noexcept {
  constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<duration::rep>::max() / 1'000'000 / 4);
  return std::chrono::milliseconds(std::min(number(key), most));
}

std::string fields::text() const {
  std::string out;
  for (auto const& [key, value] : pairs_) {
    if (!out.empty()) out += "&";
    append_escaped(out, key);
    out += "=";
    append_escaped(out, value);
  }
  return out;
}

std::int64_t in_ms(duration d) noexcept { return std::chrono::duration_cast<std::chrono::milliseconds>(d).count(); }

fields describe(spi::claim_spec const& spec, duration ttl) {
  auto const pid = std::to_string(::getpid());
  fields out;
  out.add("ttl", static_cast<std::uint64_t>(in_ms(ttl)));
  out.add("id", spec.identity.empty() ? host_name() + "/" + pid : std::string(spec.identity));
  out.add("host", host_name());
  out.add("pid", pid);
  if (!spec.reason.empty()) out.add("why", spec.reason);
  for (auto const& l : spec.labels) out.add("l." + std::string(l.key), l.value);
  return out;
}

holder_info described(fields const& of) {
  holder_info out;
  out.identity = of.get("id");
  out.host = of.get("host");
  out.pid = static_cast<std::int64_t>(of.number("pid"));
  out.reason = of.get("why");
  out.ttl = of.ms("ttl");
  for (auto const& [key, value] : of.all()) {
    if (key.starts_with("l.")) out.labels.emplace_back(key.substr(2), value);
  }
  return out;
}

std::string token::text() const {
  fields out;
  out.add("v", format);
  out.add("g", generation);
  out.add("t", id);
  out.add("s", word_for(state));
  out.add("worst", static_cast<std::uint64_t>(in_ms(worst)) + 1);  // rounded up
  if (!by.empty()) out.add("by", by);
  if (!after.empty()) out.add("after", after);
  out.add("n", name);
  return out.text() + "&" + who.text();
}

result<token> token_of(std::string_view text) {
  fields const in(text);
  auto const version = in.get("v");
  token out;
  if (version != format) {
    if (!version.starts_with("lh")) return out;
    return failure{
        make_error_code(errc::misconfigured),
        diagnostics("a newer leasehold left its format here: " + std::string(version), "upgrade this one too")};
  }
  out.generation = in.number("g");
  out.id = in.get("t");
  auto const state = in.get("s");
  out.state = state == "free"   ? token::condition::free
              : state == "owed" ? token::condition::owed
                                : token::condition::held;
  out.by = in.get("by");
  out.after = in.get("after");
  out.name = in.get("n");
  out.worst = in.ms("worst");
  out.who = in;
  return out;
}

bool is_owed(in_hand const& one, std::string_view owner) noexcept {
  if (one.token.state == token::condition::held && one.token.by == owner) return false;
  return one.redelivered || one.token.state != token::condition::free;
}

time_point owed_until(std::vector<in_hand> const& hand, std::string_view owner) {
  auto out = time_point::min();
  for (auto const& one : hand) {
    bool const replaced = !one.token.id.empty() && std::ranges::any_of(hand, [&](auto const& other) {
      return other.token.after == one.token.id;
    });
    if (replaced || !is_owed(one, owner)) continue;
    out = std::max(out, after(one.at, one.token.worst + margin_for(one.token.worst)));
  }
  return out;
}

std::size_t best_of(std::vector<in_hand> const& hand) {
  auto const best =
      std::ranges::max_element(hand, {}, [](auto const& h) { return std::tie(h.token.generation, h.token.id); });
  return static_cast<std::size_t>(best - hand.begin());
}

}  // namespace leasehold::inline v0_1::rabbitmq
