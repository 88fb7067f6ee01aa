#include "engines/cosmos/container.hpp"

#include "engines/cosmos/wall_clock.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>

namespace leasehold::inline v0_1::cosmos {
namespace {

/// Up to twice as long, so that clients do not come back all at once.
duration spread(duration least) {
  thread_local std::minstd_rand random{std::random_device{}()};
  auto const us = std::chrono::duration_cast<std::chrono::microseconds>(least).count();
  return least +
         std::chrono::microseconds(random() % static_cast<unsigned>(std::clamp<std::int64_t>(us, 1, 1'000'000)));
}

std::string partition(std::string_view id) { return "x-ms-documentdb-partitionkey: [\"" + std::string(id) + "\"]"; }

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char const c : text) {  // a name has no control characters
    if (c == '"' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "\"";
}

/// What to do after one answer.
enum class next_step : std::uint8_t { give, fail, again };

/// INVARIANT: one that was in doubt, or did not get through, is asked once more and no oftener; one that was not done, for as long
/// as there is time.
struct persistence {
  int repeats_left = 1;
  bool may_set_clock = true;
  duration pause{};

  next_step after(result<response> const& r) {
    if (!r) {
      bool const again = r.error() == errc::unavailable || r.error() == errc::outcome_unknown;
      return again && repeats_left-- > 0 ? next_step::again : next_step::fail;
    }
    switch (meaning_of(*r)) {
      case meaning::done:
      case meaning::unchanged:
      case meaning::missing:
      case meaning::conflict:
        return next_step::give;
      case meaning::too_many:
        pause = spread(std::max<duration>(r->retry_after, std::chrono::milliseconds(1)));
        return next_step::again;
      case meaning::behind:
        return repeats_left-- > 0 ? next_step::again : next_step::fail;
      case meaning::in_doubt:
        pause = spread(std::max<duration>(r->retry_after, std::chrono::milliseconds(5)));
        return r->status == 449 || repeats_left-- > 0 ? next_step::again : next_step::fail;
      case meaning::moved:
        return next_step::fail;
      case meaning::refused:
        break;
    }
    // A date that is far from the server's is refused; the refusal told us the server's.
    constexpr std::int64_t skew_least = 300;
    bool const by_date =
        (r->status == 401 || r->status == 403) && r->date != 0 && std::abs(r->date - wall_clock_seconds()) > skew_least;
    return by_date && std::exchange(may_set_clock, false) ? next_step::again : next_step::fail;
  }
};

}  // namespace

std::string container::base() const {
  std::lock_guard const hold(guard_);
  return base_;
}

void container::move_to(std::string base) {
  std::lock_guard const hold(guard_);
  if (base == base_) return;
  base_ = std::move(base);
  session_.clear();
}

spi::task<result<response>> container::call(request r, bool of_documents, time_point until) {
  auto& drive = co_await spi::this_driver();
  persistence again;
  for (;;) {
    auto one = r;
    std::string to = where_.endpoint();
    if (of_documents) {
      std::lock_guard const hold(guard_);
      to = base_;
      if (!session_.empty() && !one.is_write) one.headers.push_back("x-ms-session-token: " + session_);
    }
    auto got = co_await net_.send(to, std::move(one), until);
    if (!got && !r.is_write && got.error() == errc::outcome_unknown) {
      got = failure{make_error_code(errc::unavailable), got.get_failure().details};
    }
    if (got && of_documents) {
      auto const how = meaning_of(*got);
      if (how == meaning::moved) moved_.store(true);
      std::lock_guard const hold(guard_);
      if (how == meaning::behind) session_.clear();
      if (how == meaning::done && !got->session.empty()) session_ = got->session;
    }
    auto const step = again.after(got);
    if (step == next_step::give) co_return got;
    bool const in_time = drive.now() + again.pause < until;
    if (step == next_step::fail || !in_time) {
      if (!got) co_return got;
      co_return failure_of(*got, r.is_write, where_);
    }
    if (again.pause > duration::zero()) {
      spi::wait_request sleep{};
      sleep.until = drive.now() + std::exchange(again.pause, duration{});
      while (drive.now() < sleep.until) {
        auto const why = co_await spi::wait_on(sleep);
        if (why == spi::wake::stopped) co_return failure{errc::cancelled};
      }
    }
  }
}

request container::of_document(std::string_view verb, std::string const& id) const {
  request out;
  out.verb = verb;
  out.type = "docs";
  out.link = link() + "/docs/" + id;
  out.path = "/" + out.link;
  out.headers.push_back(partition(id));
  out.is_write = verb != "GET";
  return out;
}

spi::task<result<response>> container::read(std::string id, time_point until) {
  auto r = of_document("GET", id);
  r.headers.push_back(
      "x-ms-documentdb-query-enablecrosspartition: True");  // an emulator says 500 for "missing" without it
  co_return co_await call(std::move(r), true, until);
}

spi::task<result<response>> container::create(std::string id, std::string body, time_point until) {
  auto r = of_document("POST", id);
  r.link = link();
  r.path = "/" + r.link + "/docs";
  r.headers.push_back("content-type: application/json");
  r.body = std::move(body);
  auto got = co_await call(std::move(r), true, until);
  if (got && meaning_of(*got) == meaning::missing) co_return failure_of(*got, true, where_);
  co_return got;
}

spi::task<result<response>> container::replace(std::string id, std::string body, std::string etag, time_point until) {
  auto r = of_document("PUT", id);
  r.headers.push_back("content-type: application/json");
  r.headers.push_back("if-match: " + etag);
  r.body = std::move(body);
  co_return co_await call(std::move(r), true, until);
}

spi::task<result<response>> container::remove(std::string id, std::string etag, time_point until) {
  auto r = of_document("DELETE", id);
  r.headers.push_back("if-match: " + etag);
  co_return co_await call(std::move(r), true, until);
}

spi::task<result<response>> container::page(std::string_view prefix, std::string continuation, time_point until) {
  request r;
  r.verb = "POST";
  r.type = "docs";
  r.link = link();
  r.path = "/" + r.link + "/docs";
  r.headers = {"content-type: application/query+json", "x-ms-documentdb-isquery: True",
               "x-ms-documentdb-query-enablecrosspartition: True", "x-ms-max-item-count: 500"};
  if (!continuation.empty()) r.headers.push_back("x-ms-continuation: " + continuation);
  r.body = R"json({"query":"SELECT * FROM c WHERE STARTSWITH(c.name, @p)","parameters":[{"name":"@p","value":)json" +
           json_text(prefix) + "}]}";
  auto got = co_await call(std::move(r), true, until);
  if (got && meaning_of(*got) != meaning::done) co_return failure_of(*got, false, where_);
  co_return got;
}

spi::task<result<response>> container::account(time_point until) {
  request r;
  r.path = "/";
  auto got = co_await call(std::move(r), false, until);
  if (got && meaning_of(*got) != meaning::done) co_return failure_of(*got, false, where_);
  co_return got;
}

spi::task<result<response>> container::describe(time_point until) {
  request r;
  r.type = "colls";
  r.link = link();
  r.path = "/" + r.link;
  co_return co_await call(std::move(r), false, until);
}

spi::task<result<response>> container::make_database(time_point until) {
  request r;
  r.verb = "POST";
  r.type = "dbs";
  r.path = "/dbs";
  r.headers.push_back("content-type: application/json");
  r.body = R"({"id":")" + where_.database + R"("})";
  r.is_write = true;
  co_return co_await call(std::move(r), false, until);
}

spi::task<result<response>> container::make_container(time_point until) {
  request r;
  r.verb = "POST";
  r.type = "colls";
  r.link = "dbs/" + where_.database;
  r.path = "/" + r.link + "/colls";
  r.headers.push_back("content-type: application/json");
  r.body = R"({"id":")" + where_.container + R"(","partitionKey":{"paths":["/pk"],"kind":"Hash","version":2}})";
  r.is_write = true;
  co_return co_await call(std::move(r), false, until);
}

}  // namespace leasehold::inline v0_1::cosmos
