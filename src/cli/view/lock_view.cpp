// Decides how a lock is described.
#include "view/lock_view.hpp"

#include "base/durations.hpp"
#include "base/text.hpp"
#include "view/user.hpp"
#include "view/wall_clock.hpp"

#include <algorithm>

namespace leasehold::cli {

namespace {

constexpr std::string_view nothing = "–";

template <class Each>
std::string of_holders(lock_info const& lock, Each each) {
  std::vector<std::string> parts;
  for (auto const& who : lock.holders) parts.push_back(each(who));
  return parts.empty() ? std::string{nothing} : joined(parts, ", ");
}

bool has_default_identity(holder_info const& who) {
  return who.identity.empty() || who.identity == joined({who.host, "/", std::to_string(who.pid)});
}

holder_info const* earliest(std::vector<holder_info> const& all) {
  auto const older = [](holder_info const& a, holder_info const& b) {
    return a.acquired_at.value_or(time_point::max()) < b.acquired_at.value_or(time_point::max());
  };
  auto const it = std::min_element(all.begin(), all.end(), older);
  return it == all.end() ? nullptr : &*it;
}

json_value instant(std::optional<time_point> const& when) {
  return when ? json_value(iso_utc(*when)) : json_value(nullptr);
}

json_value slots(mode m) {
  if (m.is_reader()) return nullptr;
  return m.is_exclusive() ? 1 : m.capacity;
}

}  // namespace

std::string_view state_word(lock_info const& lock) {
  switch (lock.state) {
    case lock_state::free:
      return "free";
    case lock_state::held:
      return "held";
    case lock_state::held_off:
      return "held_off";
    case lock_state::overdue:
      return "overdue";
  }
  return "free";
}

std::string_view mode_word(mode m) { return m.is_exclusive() ? "exclusive" : m.is_reader() ? "shared" : "semaphore"; }

cell state_cell(lock_info const& lock) {
  switch (lock.state) {
    case lock_state::free:
      return {"free", hue::none};
    case lock_state::held_off:
      return {"held off", hue::wait};
    case lock_state::overdue:
      return {"OVERDUE", hue::bad};
    case lock_state::held:
      break;
  }
  if (!lock.mode.is_semaphore()) return {lock.mode.is_reader() ? "shared" : "held", hue::good};
  return {joined({std::to_string(lock.holders.size()), " of ", std::to_string(lock.mode.capacity)}), hue::good};
}

std::string holder_name(holder_info const& who) {
  if (!has_default_identity(who)) return who.identity;
  if (who.pid == 0) return who.host.empty() ? std::string{who.foreign ? "another program" : "unknown"} : who.host;
  return joined({who.host, who.host.empty() ? "pid " : " pid ", std::to_string(who.pid)});
}

std::string holder_in_sentence(holder_info const& who) {
  std::vector<std::string> parts;
  if (who.pid != 0) parts.push_back(joined({"pid ", std::to_string(who.pid)}));
  if (!who.user.empty()) parts.push_back(user_name(who.user));
  if (!has_default_identity(who) && !who.host.empty()) parts.insert(parts.begin(), who.host);
  auto const name = has_default_identity(who) && !who.host.empty() ? who.host : holder_name(who);
  return parts.empty() ? name : joined({name, " (", joined(parts, ", "), ")"});
}

std::string expiry_in_words(holder_info const& who) {
  if (!who.expires_at) return "never";
  auto const left = *who.expires_at - clock::now();
  return left >= duration::zero() ? joined({"in ", in_words(left)}) : joined({in_words(-left), " ago"});
}

std::string held_for(holder_info const& who) {
  return who.acquired_at ? in_words(clock::now() - *who.acquired_at) : std::string{nothing};
}

json_value to_json(holder_info const& who) {
  json_value labels = json_value::object();
  for (auto const& [key, value] : who.labels) labels[key] = value;
  json_value out{{"identity", who.identity}, {"host", who.host}, {"pid", who.pid}, {"user", user_name(who.user)}};
  out["acquired_at"] = instant(who.acquired_at);
  out["renewed_at"] = instant(who.renewed_at);
  out["expires_in_ms"] = who.expires_at ? json_value(in_ms(*who.expires_at - clock::now())) : json_value(nullptr);
  out["ttl_ms"] = who.ttl ? json_value(in_ms(*who.ttl)) : json_value(nullptr);
  out["token"] = who.token ? json_value(*who.token) : json_value(nullptr);
  out["labels"] = std::move(labels);
  out["reason"] = who.reason;
  if (!who.note.empty()) out["note"] = who.note;
  if (who.foreign) out["foreign"] = true;
  return out;
}

json_value to_json(lock_info const& lock, std::string_view store) {
  auto out = document("lock");
  out["name"] = lock.name;
  out["store"] = store;
  out["state"] = state_word(lock);
  out["mode"] = mode_word(lock.mode);
  out["slots"] = slots(lock.mode);
  out["holders"] = json_value::array();
  for (auto const& who : lock.holders) out["holders"].push_back(to_json(who));
  auto const* oldest = earliest(lock.waiters);
  bool const known = oldest != nullptr && oldest->acquired_at.has_value();
  out["waiters"] = {
      {"count", lock.waiters.size()},
      {"oldest_ms", known ? json_value(in_ms(clock::now() - *oldest->acquired_at)) : json_value(nullptr)}};
  out["free_in_ms"] = lock.free_at ? json_value(in_ms(*lock.free_at - clock::now())) : json_value(nullptr);
  out["transitions"] = nullptr;  // engines that count grants per name will tell
  return out;
}

table lock_table(bool wide) {
  std::vector<table::column> columns{{"NAME"},          {"STATE"},         {"HOLDER"},     {"HELD", true},
                                     {"EXPIRES", true}, {"WAITING", true}, {"TOKEN", true}};
  if (wide) columns.insert(columns.end(), {{"MODE"}, {"USER"}, {"TTL", true}, {"REASON"}});
  return table{std::move(columns)};
}

void add_row(table& rows, lock_info const& lock, bool wide) {
  auto const* first = earliest(lock.holders);
  auto const expiring = std::min_element(lock.holders.begin(), lock.holders.end(), [](auto const& a, auto const& b) {
    return a.expires_at.value_or(time_point::max()) < b.expires_at.value_or(time_point::max());
  });
  bool const held = first != nullptr;
  std::string expires{nothing};
  if (held) expires = expiry_in_words(*expiring);
  if (!held && lock.free_at) expires = joined({"in ", in_words(*lock.free_at - clock::now())});
  bool const one_token = lock.holders.size() == 1 && first->token;
  std::vector<cell> row{{lock.name},
                        state_cell(lock),
                        {of_holders(lock, holder_name)},
                        {held ? held_for(*first) : std::string{nothing}},
                        {expires, lock.state == lock_state::overdue ? hue::bad : hue::none},
                        {std::to_string(lock.waiters.size())},
                        {one_token ? std::to_string(*first->token) : std::string{nothing}}};
  if (wide) {
    row.push_back({std::string{mode_word(lock.mode)}});
    row.push_back({of_holders(lock, [](holder_info const& who) { return user_name(who.user); })});
    row.push_back({held && first->ttl ? in_units(*first->ttl) : std::string{nothing}});
    row.push_back({held && !first->reason.empty() ? first->reason : std::string{nothing}});
  }
  rows.add(std::move(row));
}

}  // namespace leasehold::cli
