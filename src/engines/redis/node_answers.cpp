#include "engines/redis/node_answers.hpp"

#include "engines/redis/answers.hpp"
#include "engines/redis/names.hpp"
#include "engines/redis/view.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

failure other_list(std::string const& words, settings const& where) {
  return {make_error_code(errc::misconfigured),
          diagnostics(where.shown + " belongs to another list of nodes: " + words,
                      "every client has to name the same nodes. To change the list, stop all clients for the longest "
                      "TTL, then: leasehold init with the new one")};
}

/// `now` of a view is unused where it carries no time of day.
spi::node_answer refused(reply const& r, time_point now) {
  auto const left = r.at(2).as_number().value_or(-2);
  auto const& value = r.at(3).text;
  bool const together = value.starts_with(shared_prefix);
  bool const ours = together || value.empty() || value == held_off_value || is_described(r.at(4).text, value);
  spi::node_refusal no;
  no.counter = static_cast<std::uint64_t>(r.at(1).as_number().value_or(0));
  no.retry_after = look_again(left, 0, !ours);
  if (!together) no.owner = value;
  if (auto const free = r.at(5).as_number(); free && *free >= 0) no.free_slot = static_cast<std::uint32_t>(*free);
  if (!ours) {
    no.holder = std::make_shared<holder_info const>(foreign_holder(left, now));
  } else if (!r.at(4).text.empty() && value != held_off_value && !value.empty()) {
    no.holder = std::make_shared<holder_info const>(holder_of(r.at(4).text, left, 0, now));
  }
  return no;
}

}  // namespace

result<spi::node_answer> node_answer_of(reply const& r, time_point now, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  auto const& what = r.at(0).text;
  if (what == "G") {
    auto const counter = r.at(1).as_number();
    if (!counter || *counter <= 0) return unexpected(where);
    return spi::node_answer{spi::node_grant{static_cast<std::uint64_t>(*counter)}};
  }
  if (what == "B") return refused(r, now);
  if (what == "P") {
    auto const left = r.at(1).as_number().value_or(0);
    diagnostics const why(where.shown + (r.at(3).text == "fresh" ? " is fresh, or has forgotten its locks"
                                                                 : " restarted or was replaced"));
    return failure{make_error_code(errc::probation), why.with_retry_after(std::chrono::milliseconds(left))};
  }
  if (what == "L") return other_list(r.at(1).text, where);
  auto const same = answer_of(r, {}, now, where);  // "T", "V", or nothing known
  return same ? unexpected(where) : same.get_failure();
}

result<spi::node_answer> adoption_of(reply const& r, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  if (r.as_number() == 0) return spi::node_answer{spi::node_refusal{}};
  auto const counter = r.at(0).as_number();
  auto const left = r.at(1).as_number();
  if (!counter || !left || *counter <= 0) return unexpected(where);
  return spi::node_answer{spi::node_grant{static_cast<std::uint64_t>(*counter), std::chrono::milliseconds(*left)}};
}

result<bool> truth_of(reply const& r, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  auto const n = r.as_number();
  if (!n) return unexpected(where);
  return *n == 1;
}

result<spi::node::standing> standing_of(reply const& r, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  if (!r.at(3).text.empty()) return other_list(r.at(3).text, where);
  auto const votes = r.at(0).as_number();
  auto const counter = r.at(1).as_number();
  if (!votes || !counter || r.at(2).text.empty()) {
    auto const refused = answer_of(r, {}, {}, where);
    return refused ? unexpected(where) : refused.get_failure();
  }
  return spi::node::standing{*votes == 1, static_cast<std::uint64_t>(*counter), r.at(2).text};
}

result<void> done_of(reply const& r, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  if (r.as_number() == 1) return {};
  auto const refused = answer_of(r, {}, {}, where);
  return refused ? unexpected(where) : refused.get_failure();
}

}  // namespace leasehold::inline v0_1::redis
