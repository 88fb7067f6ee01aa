// Fuzzes store URLs: reading is total, the redacted form is a URL of the same store again, and no text shows the password.
#include "spi/url.hpp"
#include "fuzz/target.hpp"

#include <leasehold/store.hpp>

#include <algorithm>

namespace {

using namespace leasehold;
using leasehold::fuzz::require;

/// A password of a few letters occurs in other parts by chance.
bool shows(std::string_view text, std::string_view password) {
  return password.size() >= 6 && text.find(password) != std::string_view::npos;
}

bool elsewhere(spi::url const& u, std::string_view password) {
  bool const in_query = std::any_of(u.query.begin(), u.query.end(), [&](auto const& q) {
    return shows(q.first, password) || shows(q.second, password);
  });
  bool const in_hosts =
      std::any_of(u.hosts.begin(), u.hosts.end(), [&](auto const& h) { return shows(h.host, password); });
  return in_query || in_hosts || shows(u.user, password) || shows(u.path, password);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const text = leasehold::fuzz::text_of(data, size);
  auto const first = spi::parse_url(text);
  if (!first) {
    require(first.error() == errc::bad_option, "a typed error");
    require(redacted(text) == "(not a URL)", "what is no URL is not repeated");
    return 0;
  }
  auto const shown = first->redacted();
  auto const& password = first->password.reveal();
  require(elsewhere(*first, password) || !shows(shown, password), "the password stays hidden");
  // Percent-escapes make it longer, at most threefold; only what fits can be read again.
  auto const again = spi::parse_url(shown);
  require(again.has_value() || shown.size() > 8192, "the redacted form is a URL");
  if (!again) return 0;
  require(again->redacted() == shown, "redacting twice changes nothing");
  require(again->scheme == first->scheme && again->user == first->user && again->path == first->path, "the same store");
  require(again->hosts.size() == first->hosts.size() && again->query.size() == first->query.size(), "the same parts");
  static_cast<void>(spi::check_query(*first, {"ttl", "capacity"}));
  return 0;
}
