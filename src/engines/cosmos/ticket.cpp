#include "engines/cosmos/ticket.hpp"

#include <charconv>
#include <fstream>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr std::string_view ticket_prefix = "cosmos-";

}  // namespace

std::string const& boot() {
  static std::string const id = [] {
    std::ifstream in("/proc/sys/kernel/random/boot_id");
    std::string text;
    std::getline(in, text);
    return text.empty() ? std::string("unknown") : text.substr(0, 8);
  }();
  return id;
}

std::string ticket_text(ticket const& t) {
  return std::string(ticket_prefix) + t.owner + "-" + t.boot + "-" + std::to_string(t.until.time_since_epoch().count());
}

std::optional<ticket> read_ticket(std::string_view text) {
  if (!text.starts_with(ticket_prefix)) return std::nullopt;
  text.remove_prefix(ticket_prefix.size());
  auto const first = text.find('-');
  auto const last = text.rfind('-');
  if (first == std::string_view::npos || first == last) return std::nullopt;
  duration::rep at = 0;
  auto const digits = text.substr(last + 1);
  auto const [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), at);
  if (fault != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return ticket{std::string(text.substr(0, first)), std::string(text.substr(first + 1, last - first - 1)),
                time_point(duration(at))};
}

}  // namespace leasehold::inline v0_1::cosmos
