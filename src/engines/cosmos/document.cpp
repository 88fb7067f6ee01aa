#include "engines/cosmos/document.hpp"

#include "engines/cosmos/json.hpp"
#include "engines/cosmos/names.hpp"

#include <algorithm>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr std::uint64_t milliseconds_max = std::uint64_t{366} * 24 * 3600 * 1000;
constexpr std::size_t entries_max = 10'000;

std::uint64_t ms_of(duration d) {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(d).count());
}

std::optional<duration> ms_in(json const& in, char const* key) {
  auto const n = number_in(in, key);
  if (!n || *n > milliseconds_max) return std::nullopt;
  return std::chrono::milliseconds(*n);
}

std::optional<entry> read_entry(json const& in) {
  entry out;
  auto owner = text_in(in, "owner");
  auto const token = number_in(in, "token");
  auto const beat = number_in(in, "beat");
  auto const ttl = ms_in(in, "ttl_ms");
  if (!owner || owner->empty() || !token || !beat || !ttl) return std::nullopt;
  out.owner = std::move(*owner);
  out.token = *token;
  out.beat = *beat;
  out.ttl = *ttl;
  out.delay = ms_in(in, "lock_delay_ms").value_or(duration{});
  auto const* off = find(in, "off");
  out.off = off != nullptr && off->is_boolean() && *off->get_ptr<json::boolean_t const*>();
  out.beat_at = static_cast<std::int64_t>(number_in(in, "beat_at").value_or(0));
  out.since = static_cast<std::int64_t>(number_in(in, "since").value_or(0));
  auto const* who = find(in, "metadata");
  if (who == nullptr) return out;
  out.identity = text_in(*who, "identity").value_or("");
  out.host = text_in(*who, "host").value_or("");
  out.pid = static_cast<std::int64_t>(number_in(*who, "pid").value_or(0));
  out.reason = text_in(*who, "reason").value_or("");
  auto const* labels = find(*who, "labels");
  if (labels == nullptr || !labels->is_object()) return out;
  for (auto const& [key, value] : labels->items()) {
    if (value.is_string()) out.labels.emplace_back(key, *value.get_ptr<json::string_t const*>());
  }
  return out;
}

json entry_json(entry const& e) {
  json out = {{"owner", e.owner}, {"token", e.token}, {"beat", e.beat}, {"ttl_ms", ms_of(e.ttl)}};
  if (e.delay > duration::zero()) out["lock_delay_ms"] = ms_of(e.delay);
  if (e.beat_at != 0) out["beat_at"] = e.beat_at;
  if (e.since != 0) out["since"] = e.since;
  if (e.off) {
    out["off"] = true;
    return out;
  }
  json who = {{"identity", e.identity}, {"host", e.host}, {"pid", e.pid}};
  if (!e.reason.empty()) who["reason"] = e.reason;
  for (auto const& [key, value] : e.labels) who["labels"][key] = value;
  out["metadata"] = std::move(who);
  return out;
}

failure damaged() {
  return {make_error_code(errc::mode_mismatch),
          diagnostics("the document under this lock's id is not a lock of leasehold's, or was damaged",
                      "look at it in the portal; if nothing holds the lock, delete it")};
}

result<document> document_of(json const& in) {
  auto const format = number_in(in, "format");
  if (format && *format > format_version) {
    return failure{make_error_code(errc::unsupported),
                   diagnostics("the lock's document was written by a newer leasehold", "update this one")};
  }
  document out;
  auto name = text_in(in, "name");
  auto const fence = number_in(in, "fence");
  auto const version = number_in(in, "version");
  auto const capacity = number_in(in, "capacity");
  auto const* entries = find(in, "holders");
  bool const whole = format == format_version && name && fence && version && capacity && *capacity <= mode::unbounded &&
                     entries != nullptr && entries->is_array() && entries->size() <= entries_max;
  if (!whole) return damaged();
  out.name = std::move(*name);
  out.fence = *fence;
  out.version = *version;
  out.writer = text_in(in, "writer").value_or("");
  out.mode = {static_cast<std::uint32_t>(*capacity)};
  for (auto const& e : *entries) {
    auto one = read_entry(e);
    if (!one) return damaged();
    out.entries.push_back(std::move(*one));
  }
  // What somebody has edited: a token above the fence would be given out twice.
  if (std::ranges::any_of(out.entries, [&](entry const& e) { return e.token > out.fence; })) return damaged();
  out.etag = text_in(in, "_etag").value_or("");
  out.ts = static_cast<std::int64_t>(number_in(in, "_ts").value_or(0));
  return out;
}

}  // namespace

result<document> read_document(std::string_view text) { return document_of(parse_json(text)); }

std::string write_document(document const& d) {
  auto const id = id_of(d.name);
  json out = {{"id", id},
              {"pk", id},
              {"format", format_version},
              {"name", d.name},
              {"fence", d.fence},
              {"version", d.version},
              {"writer", d.writer},
              {"capacity", d.mode.capacity},
              {"holders", json::array()},
              {"ttl", -1}};  // the service's word for "never deleted", whatever the container's default
  for (auto const& e : d.entries) out["holders"].push_back(entry_json(e));
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool is_foreign(std::string_view text) {
  auto const in = parse_json(text);
  return in.is_object() && find(in, "format") == nullptr;
}

std::optional<std::uint64_t> read_fence(std::string_view text) {
  auto const in = parse_json(text);
  return number_in(in, "format") == format_version ? number_in(in, "fence") : std::nullopt;
}

std::string write_fence(std::string_view id, std::uint64_t fence) {
  json const out = {{"id", id}, {"pk", id}, {"format", format_version}, {"fence", fence}, {"ttl", -1}};
  return out.dump();
}

std::vector<document> read_page(std::string_view text) {
  std::vector<document> out;
  auto const page = parse_json(text);
  auto const* all = find(page, "Documents");
  if (all == nullptr || !all->is_array()) return out;
  for (auto const& one : *all) {
    if (auto d = document_of(one)) out.push_back(std::move(*d));
  }
  return out;
}

std::string read_message(std::string_view text) {
  constexpr std::size_t most = 300;
  auto out = text_in(parse_json(text), "message").value_or("");
  if (out.size() > most) out.resize(most);
  return out;
}

}  // namespace leasehold::inline v0_1::cosmos
