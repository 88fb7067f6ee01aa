#include "engines/cosmos/settings.hpp"

#include "engines/cosmos/base64.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr char const* key_variable = "LEASEHOLD_COSMOS_KEY";
constexpr duration max_ttl_least = std::chrono::seconds(1);
constexpr duration max_ttl_most = std::chrono::hours(24);

failure bad(std::string message, std::string hint = {}) {
  return {make_error_code(errc::bad_option), diagnostics(std::move(message), std::move(hint))};
}

result<bool> flag(spi::url const& u, std::string_view key, std::string_view no, std::string_view yes) {
  auto const text = u.get(key);
  if (!text || *text == no) return false;
  if (*text == yes) return true;
  return bad(std::string(key) + "=" + *text + " is unknown", "it takes " + std::string(no) + " or " + std::string(yes));
}

/// Names of databases and containers go into paths as they are.
bool is_plain(std::string_view name) {
  auto const is_word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !name.empty() && name.size() <= 255 && std::ranges::all_of(name, is_word) &&
         name.find_first_not_of('.') != std::string_view::npos;
}

result<void> read_place(spi::url const& u, settings& out) {
  constexpr char const* shape = "write cosmos://account/database/container";
  if (u.hosts.size() != 1 || u.hosts.front().host.empty()) return bad("cosmos: takes one account", shape);
  out.host = u.hosts.front().host;
  bool const is_account =
      out.host.find_first_of(".:") == std::string::npos && out.host != "localhost" && u.hosts.front().port == 0;
  if (is_account) out.host += ".documents.azure.com";
  if (u.hosts.front().port != 0) out.port = u.hosts.front().port;
  std::string_view path = u.path;
  if (path.starts_with('/')) path.remove_prefix(1);
  auto const slash = path.find('/');
  if (slash == std::string_view::npos) return bad("the cosmos URL names no database and container", shape);
  out.database = path.substr(0, slash);
  out.container = path.substr(slash + 1);
  if (!is_plain(out.database) || !is_plain(out.container)) {
    return bad("the cosmos URL names a database or container that is none",
               "letters, digits, '-', '_' and '.'; " + std::string(shape));
  }
  out.shown = "cosmos at " + out.authority() + "/" + out.database + "/" + out.container;
  return {};
}

result<std::string> key_text(spi::url const& u) {
  if (!u.password.empty()) return u.password.reveal();
  if (auto const path = u.get("key_file")) {
    std::ifstream in(*path, std::ios::binary);
    constexpr std::size_t most = 4096;
    std::string text(most, '\0');
    in.read(text.data(), most);
    text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
    if (in.bad() || (text.empty() && !in.is_open())) {
      return failure{make_error_code(errc::misconfigured), diagnostics("the key file " + *path + " cannot be read")};
    }
    return text;
  }
  if (char const* text = std::getenv(key_variable)) return std::string(text);
  return bad(
      "cosmos: there is no key",
      "give the account's key with key_file=PATH in the URL, or in the environment as " + std::string(key_variable));
}

result<void> read_key(spi::url const& u, settings& out) {
  if (!u.user.empty())
    return bad("a cosmos URL has no user", "write cosmos://account/database/container?key_file=PATH");
  auto text = key_text(u);
  if (!text) return text.get_failure();
  std::erase_if(*text, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
  auto key = from_base64(*text);
  if (!key || key->empty()) {
    return bad("the cosmos key is not one",
               "copy the account's primary key as the portal shows it: base64; '+', '/' and '=' are "
               "written %2B, %2F and %3D in a URL");
  }
  out.key = spi::secret(std::move(*key));
  return {};
}

}  // namespace

result<settings> settings_of(spi::url const& u) {
  settings out;
  auto const known = spi::check_query(u, {"key_file", "ca", "insecure", "plain", "dialect", "max_ttl"});
  if (!known) return known.get_failure();
  if (auto ok = read_place(u, out); !ok) return ok.get_failure();
  out.url = u.redacted();
  auto const plain = flag(u, "plain", "0", "1");
  if (!plain) return plain.get_failure();
  auto const insecure = flag(u, "insecure", "0", "1");
  if (!insecure) return insecure.get_failure();
  auto const article = flag(u, "dialect", "native", "article");
  if (!article) return article.get_failure();
  out.tls = !*plain;
  out.verify = !*insecure;
  out.article = *article;
  out.ca_file = u.get("ca").value_or("");
  if (auto const text = u.get("max_ttl")) {
    auto const ttl = spi::parse_duration(*text);
    if (!ttl) return ttl.get_failure();
    if (*ttl < max_ttl_least || *ttl > max_ttl_most) return bad("max_ttl is out of range", "it takes 1s to 24h");
    out.max_ttl = *ttl;
  }
  if (auto ok = read_key(u, out); !ok) return ok.get_failure();
  return out;
}

}  // namespace leasehold::inline v0_1::cosmos
