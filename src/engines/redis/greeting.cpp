#include "engines/redis/greeting.hpp"

#include "engines/redis/answers.hpp"

namespace leasehold::inline v0_1::redis {
namespace {

result<void> expect_ok(reply const& r, settings const& where) {
  if (r.is_error()) return failure_of(r, where);
  return {};
}

result<void> ignore(reply const&, settings const&) { return {}; }

result<void> expect_arbiter(reply const& r, settings const& where) {
  if (r.is_error()) return where.guarded ? result<void>(failure_of(r, where)) : result<void>();
  return check_server(r.text, where);
}

void add_login(greeting& out, settings const& to) {
  if (to.password.empty()) return;
  auto bytes =
      to.user.empty() ? command({"AUTH", to.password.reveal()}) : command({"AUTH", to.user, to.password.reveal()});
  out.push_back({std::move(bytes), expect_ok});
}

failure refuse(settings const& where, std::string const& what, std::string remedy) {
  return {make_error_code(errc::misconfigured), diagnostics(where.shown + what, std::move(remedy))};
}

}  // namespace

greeting greeting_for_requests(settings const& to) {
  greeting out;
  add_login(out, to);
  if (to.db != 0) out.push_back({command({"SELECT", std::to_string(to.db)}), expect_ok});
  out.push_back({command({"CLIENT", "SETNAME", "leasehold"}), ignore});
  out.push_back({command({"INFO"}), expect_arbiter});
  return out;
}

greeting greeting_for_messages(settings const& to, std::string_view channel) {
  greeting out;
  add_login(out, to);
  out.push_back({command({"CLIENT", "SETNAME", "leasehold-waiting"}), ignore});
  out.push_back({command({"SUBSCRIBE", channel}), expect_ok});
  return out;
}

std::string_view info_value(std::string_view info, std::string_view key) noexcept {
  for (auto at = info.find(key); at != std::string_view::npos; at = info.find(key, at + 1)) {
    bool const begins = at == 0 || info[at - 1] == '\n';
    auto const rest = info.substr(at + key.size());
    if (begins && rest.starts_with(':')) return rest.substr(1, rest.find_first_of("\r\n") - 1);
  }
  return {};
}

result<void> check_server(std::string_view info, settings const& where) {
  if (info_value(info, "run_id").empty()) {
    return refuse(where, " does not tell its run id: a look-alike that locks cannot be trusted to",
                  "use Redis or Valkey");
  }
  if (auto const role = info_value(info, "role"); role == "slave") {
    return refuse(where, " is a replica: it grants nothing", "name the master in the URL");
  }
  if (info_value(info, "cluster_enabled") == "1") {
    return refuse(where, " belongs to a Redis Cluster, which is not supported yet", "name a single server");
  }
  auto const limit = info_value(info, "maxmemory");
  auto const policy = info_value(info, "maxmemory_policy");
  if (where.guarded && !limit.empty() && limit != "0" && policy != "noeviction") {
    return refuse(where, " may evict a held lock (maxmemory-policy " + std::string(policy) + ")",
                  "CONFIG SET maxmemory-policy noeviction, or use a server of its own for locks, or ?safety=best");
  }
  return {};
}

}  // namespace leasehold::inline v0_1::redis
