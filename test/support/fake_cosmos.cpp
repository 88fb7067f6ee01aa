#include "support/fake_cosmos.hpp"

#include "engines/cosmos/base64.hpp"
#include "engines/cosmos/http_date.hpp"
#include "engines/cosmos/sign.hpp"

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <ctime>

namespace leasehold::test {
namespace {

using json = nlohmann::json;

constexpr std::string_view in_container = "/dbs/db/colls/locks";
constexpr std::string_view in_documents = "/dbs/db/colls/locks/docs";

/// Type and link of a path, as the signature has them.
std::pair<std::string, std::string> resource(std::string const& verb, std::string const& path) {
  if (path == "/") return {};
  if (path == "/dbs") return {"dbs", ""};
  if (path.ends_with("/colls")) return {"colls", path.substr(1, path.size() - 7)};
  if (path.ends_with("/docs")) return {"docs", path.substr(1, path.size() - 6)};
  static_cast<void>(verb);
  return {path.find("/docs/") != std::string::npos ? "docs" : "colls", path.substr(1)};
}

}  // namespace

fake_cosmos::fake_cosmos() = default;

std::int64_t fake_cosmos::now_s() const { return std::time(nullptr) + clock_offset_s; }

http_reply fake_cosmos::said(int status, std::string body, std::string etag) const {
  http_reply out{status,
                 {{"date", cosmos::http_date(now_s())}, {"x-ms-request-charge", status == 200 ? "1" : "10.5"}},
                 std::move(body)};
  if (!etag.empty()) out.headers.emplace_back("etag", std::move(etag));
  if (status < 300) out.headers.emplace_back("x-ms-session-token", "0:-1#" + std::to_string(versions_));
  return out;
}

void fake_cosmos::fail(cosmos_fault f) {
  std::lock_guard const hold(guard_);
  f.reply.headers.emplace_back("date", cosmos::http_date(now_s()));
  faults_.push_back(std::move(f));
}
void fake_cosmos::fail(std::string verb, int status, bool carried_out,
                       std::vector<std::pair<std::string, std::string>> headers) {
  fail(cosmos_fault{
      std::move(verb), {status, std::move(headers), R"({"code":"Scripted","message":"as scripted"})"}, carried_out, 1});
}
bool fake_cosmos::has_faults_left() {
  std::lock_guard const hold(guard_);
  return !faults_.empty();
}

void fake_cosmos::forget_faults() {
  std::lock_guard const hold(guard_);
  faults_.clear();
}

std::string fake_cosmos::document(std::string const& id) {
  std::lock_guard const hold(guard_);
  auto const at = documents_.find(id);
  return at == documents_.end() ? std::string() : at->second.json;
}
void fake_cosmos::put_document(std::string const& id, std::string const& text) {
  std::lock_guard const hold(guard_);
  store_document(id, text, 200);
}
void fake_cosmos::delete_document(std::string const& id) {
  std::lock_guard const hold(guard_);
  documents_.erase(id);
}
void fake_cosmos::clear() {
  std::lock_guard const hold(guard_);
  documents_.clear();
}
std::map<std::string, std::string> fake_cosmos::snapshot() {
  std::lock_guard const hold(guard_);
  std::map<std::string, std::string> out;
  for (auto const& [id, d] : documents_) out.emplace(id, d.json);
  return out;
}
void fake_cosmos::restore(std::map<std::string, std::string> all) {
  std::lock_guard const hold(guard_);
  documents_.clear();
  for (auto const& [id, text] : all) documents_[id] = {text, json::parse(text)["_etag"].get<std::string>()};
}
std::vector<std::string> fake_cosmos::take_verbs() {
  std::lock_guard const hold(guard_);
  return std::exchange(verbs_, {});
}

std::optional<http_reply> fake_cosmos::answer(http_request const& r) {
  std::lock_guard const hold(guard_);
  // "http://…/region/1/dbs/…" is the endpoint of one region.
  auto path = r.path;
  std::optional<std::size_t> region;
  if (path.starts_with("/region/")) {
    region = static_cast<std::size_t>(path[8] - '0');
    path.erase(0, 9);
  }
  if (auto no = refuse(r, path)) return no;
  bool const of_documents = path.starts_with(in_documents);
  if (of_documents) verbs_.push_back(r.verb);
  bool const meant =
      !faults_.empty() && of_documents && (faults_.front().verb.empty() || faults_.front().verb == r.verb);
  if (meant && faults_.front().after-- <= 0) {
    auto const fault = faults_.front();
    if (--faults_.front().times <= 0) faults_.pop_front();
    if (fault.carried_out) carry_out(r, path);
    if (fault.reply.status == 0) return std::nullopt;
    return fault.reply;
  }
  if (region && *region != write_region && r.writes()) {
    auto out = said(403, R"({"message":"not the write region"})");
    out.headers.emplace_back("x-ms-substatus", "3");
    return out;
  }
  return carry_out(r, path);
}

/// As the service checks who asks, and when.
std::optional<http_reply> fake_cosmos::refuse(http_request const& r, std::string const& path) const {
  auto const date = r.header("x-ms-date");
  auto const [type, link] = resource(r.verb, path);
  auto const key = cosmos::from_base64(url_key()).value_or("");
  if (r.header("authorization") != cosmos::authorization(key, r.verb, type, link, date)) {
    return said(401, R"({"code":"Unauthorized","message":"The input authorization token can't serve the request."})");
  }
  constexpr std::int64_t window_s = 900;
  if (std::llabs(cosmos::read_http_date(date) - now_s()) > window_s) {
    return said(403, R"({"code":"Forbidden","message":"The authorization token is not valid at the current time."})");
  }
  if (r.header("x-ms-version").empty()) return said(400, R"({"message":"no version"})");
  return std::nullopt;
}

http_reply fake_cosmos::account() const {
  json out = {{"id", "fake"},
              {"enableMultipleWriteLocations", several_write_regions},
              {"userConsistencyPolicy", {{"defaultConsistencyLevel", consistency}}}};
  auto const place = [&](std::size_t i) {
    return json{
        {"name", regions[i]},
        {"databaseAccountEndpoint", "http://127.0.0.1:" + std::to_string(port) + "/region/" + std::to_string(i) + "/"}};
  };
  out["writableLocations"].push_back(place(write_region));
  for (std::size_t i = 0; i < regions.size(); ++i) {
    out["readableLocations"].push_back(place(i));
    if (several_write_regions && i != write_region) out["writableLocations"].push_back(place(i));
  }
  return said(200, out.dump());
}

http_reply fake_cosmos::carry_out(http_request const& r, std::string const& path) {
  if (path == "/") return account();
  if (path == "/dbs") return said(201, "{}");
  if (path == "/dbs/db/colls" && r.verb == "POST") {
    has_container = true;
    partition_key = json::parse(r.body)["partitionKey"]["paths"][0];
    return said(201, "{}");
  }
  if (!has_container || !path.starts_with(in_container))
    return said(404, R"({"code":"NotFound","message":"Owner resource does not exist"})");
  if (path == in_container)
    return said(200, json{{"id", "locks"}, {"partitionKey", {{"paths", {partition_key}}, {"kind", "Hash"}}}}.dump());
  if (path == in_documents) return on_documents(r);
  return on_document(r, path.substr(in_documents.size() + 1));
}

http_reply fake_cosmos::store_document(std::string const& id, std::string const& body, int status) {
  auto d = json::parse(body);
  auto const etag = "\"0000-" + std::to_string(++versions_) + "\"";
  d["_etag"] = etag;
  d["_ts"] = now_s();
  documents_[id] = {d.dump(), etag};
  auto out = said(status, documents_[id].json, etag);
  out.headers[1].second = "10.5";
  return out;
}

http_reply fake_cosmos::on_documents(http_request const& r) {
  auto const body = json::parse(r.body, nullptr, false);
  if (!body.is_object()) return said(400, R"({"code":"BadRequest","message":"not JSON"})");
  if (!r.header("x-ms-documentdb-isquery").empty()) {
    std::string const prefix = body["parameters"][0]["value"];
    json page = {{"Documents", json::array()}};
    for (auto const& [id, d] : documents_) {
      auto const one = json::parse(d.json);
      if (one.contains("name") && one["name"].get<std::string>().starts_with(prefix)) page["Documents"].push_back(one);
    }
    return said(200, page.dump());
  }
  std::string const id = body.value("id", "");
  if (id.empty() || id.find_first_of("/\\?#") != std::string::npos) return said(400, R"({"message":"bad id"})");
  auto const key = body.value(partition_key.substr(1), "");
  if (r.header("x-ms-documentdb-partitionkey") != json::array({key}).dump()) {
    return said(
        400,
        R"({"code":"BadRequest","message":"PartitionKey extracted from document doesn't match the one specified in the header"})");
  }
  if (documents_.contains(id))
    return said(409, R"({"code":"Conflict","message":"Resource with specified id already exists."})");
  return store_document(id, r.body, 201);
}

http_reply fake_cosmos::on_document(http_request const& r, std::string const& id) {
  auto const at = documents_.find(id);
  if (at == documents_.end()) return said(404, R"({"code":"NotFound","message":"Resource Not Found."})");
  if (r.verb == "GET") return said(200, at->second.json, at->second.etag);
  auto const match = r.header("if-match");
  if (!match.empty() && match != at->second.etag) {
    return said(
        412,
        R"({"code":"PreconditionFailed","message":"Operation cannot be performed because one of the specified precondition is not met."})");
  }
  if (r.verb == "DELETE") {
    documents_.erase(at);
    return said(204, "");
  }
  auto const body = json::parse(r.body, nullptr, false);
  if (!body.is_object() || body.value("id", "") != id) return said(400, R"({"message":"the id does not match"})");
  return store_document(id, r.body, 200);
}

}  // namespace leasehold::test
