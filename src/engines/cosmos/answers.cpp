#include "engines/cosmos/answers.hpp"

#include "engines/cosmos/document.hpp"

namespace leasehold::inline v0_1::cosmos {

meaning meaning_of(response const& r) noexcept {
  switch (r.status) {
    case 200:
    case 201:
    case 204:
      return meaning::done;
    case 304:
      return meaning::unchanged;
    case 403:
      return r.substatus == 3 ? meaning::moved : meaning::refused;
    case 404:
      return r.substatus == 1002 ? meaning::behind : meaning::missing;
    case 409:
    case 412:
      return meaning::conflict;
    case 429:
      return meaning::too_many;
    case 408:
    case 410:
    case 449:
      return meaning::in_doubt;
    default:
      return r.status >= 500 ? meaning::in_doubt : meaning::refused;
  }
}

failure failure_of(response const& r, bool is_write, settings const& where) {
  auto const say = [&](errc what, std::string text, std::string hint) {
    return failure{make_error_code(what),
                   diagnostics(where.shown + ": " + std::move(text), std::move(hint), read_message(r.body))};
  };
  switch (meaning_of(r)) {
    case meaning::too_many: {
      auto out = say(errc::unavailable, "the container's throughput is used up (429)", "raise its RU/s, or poll less");
      out.details = out.details.with_retry_after(r.retry_after);
      return out;
    }
    case meaning::missing:
      return say(errc::misconfigured, "there is no such database or container", "leasehold init URL creates them");
    case meaning::moved:
      return say(errc::unavailable, "the account's write region has changed", "ask again");
    case meaning::behind:
      return say(errc::unavailable, "the replica lags behind", "ask again");
    case meaning::in_doubt:
      return say(is_write ? errc::outcome_unknown : errc::unavailable,
                 "the service answered " + std::to_string(r.status),
                 "usually it passes; see the account's health in the portal");
    default:
      break;
  }
  if (r.status == 401) {
    return say(errc::auth, "the key was refused", "is it the account's current primary or secondary key?");
  }
  if (r.status == 403) {
    return say(errc::auth, "the service does not let us in (403)",
               "is it a read-only key, a firewall of the account, or a wrong clock here?");
  }
  if (r.status == 400) {
    return say(errc::misconfigured, "the service did not accept the request",
               "is the container's partition key /pk or /id?");
  }
  if (r.status == 413)
    return say(errc::bad_option, "the document would be too large", "shorten reason and labels, or hold it by fewer");
  return say(errc::misconfigured, "the service answered " + std::to_string(r.status),
             "is that a Cosmos DB account of the NoSQL API?");
}

}  // namespace leasehold::inline v0_1::cosmos
