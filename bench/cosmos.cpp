// Decides how the cosmos: engine is measured, on the npm emulator over TLS: cosmos/*.
#include "benchmarks.hpp"
#include "support/http_server.hpp"
#include "support/node_cosmos.hpp"

#include <leasehold/leasehold.hpp>

#include <curl/curl.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace bench {
namespace {

using namespace std::chrono_literals;

leasehold::acquire_options const half_a_minute{.ttl = 30s};

/// A folder with a certificate of its own, and the emulator with it.
class service {
 public:
  service() {
    if (auto const why = leasehold::test::node_cosmos::missing(); !why.empty()) throw skipped(why);
    std::string pattern = std::filesystem::temp_directory_path() / "leasehold-bench-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = pattern;
    auto const make =
        "cd " + pattern +
        " && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key -out crt >/dev/null 2>&1";
    if (std::system(make.c_str()) != 0) throw skipped("no openssl here");
    server_ = std::make_unique<leasehold::test::node_cosmos>(file("crt"), file("key"));
    leasehold::initialize(url());
  }
  service(service const&) = delete;
  service& operator=(service const&) = delete;
  ~service() { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string file(std::string const& name) const { return (folder_ / name).string(); }
  [[nodiscard]] std::string base() const { return "https://127.0.0.1:" + std::to_string(server_->port()); }
  [[nodiscard]] std::string url() const {
    return "cosmos://:c2VjcmV0@127.0.0.1:" + std::to_string(server_->port()) + "/db/locks?ca=" + file("crt");
  }

 private:
  std::filesystem::path folder_;
  std::unique_ptr<leasehold::test::node_cosmos> server_;
};

void our_pair(leasehold::store const& locks) {
  auto lease = locks.try_acquire("orders-42", half_a_minute);
  if (!lease) throw std::runtime_error("a free name was busy");
  lease->release();
}

/// The same two conditional writes by a blocking libcurl handle that keeps its connection.
class raw_client {
 public:
  explicit raw_client(service const& to) : documents_(to.base() + "/dbs/db/colls/locks/docs"), easy_(curl_easy_init()) {
    curl_easy_setopt(easy_, CURLOPT_CAINFO, to.file("crt").c_str());
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &ignore);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
    send("POST", documents_, free_);
  }
  raw_client(raw_client const&) = delete;
  raw_client& operator=(raw_client const&) = delete;
  ~raw_client() { curl_easy_cleanup(easy_); }

  void pair() {
    send("PUT", documents_ + "/raw", held_);
    send("PUT", documents_ + "/raw", free_);
  }

 private:
  static std::size_t ignore(char*, std::size_t size, std::size_t count, void*) { return size * count; }
  static std::size_t on_header(char* text, std::size_t size, std::size_t count, void* self) {
    std::string_view line(text, size * count);
    if (line.starts_with("etag: ")) static_cast<raw_client*>(self)->etag_ = line.substr(6, line.find('\r') - 6);
    return size * count;
  }
  void send(char const* verb, std::string const& url, std::string const& body) {
    curl_slist* headers = nullptr;
    for (std::string const line :
         {"x-ms-documentdb-partitionkey: [\"raw\"]", "x-ms-version: 2018-12-31",
          "x-ms-date: Thu, 27 Apr 2017 00:51:12 GMT", "content-type: application/json", "accept: application/json",
          "authorization: type%3dmaster%26ver%3d1.0%26sig%3dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2bc%2bc%3d"}) {
      headers = curl_slist_append(headers, line.c_str());
    }
    if (!etag_.empty()) headers = curl_slist_append(headers, ("if-match: " + etag_).c_str());
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, verb);
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers);
    auto const code = curl_easy_perform(easy_);
    curl_slist_free_all(headers);
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK || status >= 300)
      throw std::runtime_error("the raw request failed: " + std::to_string(status));
  }

  std::string const documents_;
  CURL* const easy_;
  std::string etag_;
  // As long as ours.
  std::string const free_ =
      R"({"capacity":0,"fence":1795934167234,"format":1,"holders":[],"id":"raw","name":"orders-42","pk":"raw","ttl":-1,)"
      R"("version":1000,"writer":"00112233445566778899aabbccddeeff"})";
  std::string const held_ =
      R"({"capacity":0,"fence":1795934167234,"format":1,"holders":[{"beat":1,"metadata":{"host":"host-1","identity":)"
      R"("host-1/12345","pid":12345},"owner":"00112233445566778899aabbccddeeff","token":1795934167234,"ttl_ms":30000}],)"
      R"("id":"raw","name":"orders-42","pk":"raw","ttl":-1,"version":1000,"writer":"00112233445566778899aabbccddeeff"})";
};

series pairs(settings const& how) {
  service const at;
  auto const locks = leasehold::open(at.url());
  raw_client raw(at);
  unsigned const batch = 20;
  std::function<void()> const contenders[] = {
      [&] {
        for (unsigned i = 0; i < batch; ++i) our_pair(locks);
      },
      [&] {
        for (unsigned i = 0; i < batch; ++i) raw.pair();
      },
  };
  return take_turns(contenders, how.quick ? 5 : 40, batch);
}

}  // namespace

std::vector<row> cosmos_pair(settings const& how) {
  row r{.id = "cosmos/pair", .unit = "ns", .ours = {}, .goals = {{against::limit, 1.15}}};
  r.note = "acquire and release; limit: the same two writes by a blocking libcurl handle";
  progress told(r.id, how.runs);
  for (unsigned run = 0; run < how.runs; ++run) {
    auto const values = pairs(how);
    r.ours.push_back(values.at(0));
    r.limit.push_back(values.at(1));
    told.step();
  }
  return {r};
}

/// The emulator charges nothing worth measuring: what a verb costs is its requests; `leasehold doctor` tells the RU of a real account.
std::vector<row> cosmos_ru(settings const&) {
  leasehold::test::node_cosmos server;
  leasehold::test::http_server counter(leasehold::test::forward_to(server.port()));
  auto const url = "cosmos://:c2VjcmV0@127.0.0.1:" + std::to_string(counter.port()) + "/db/locks?plain=1";
  leasehold::initialize(url);
  auto const locks = leasehold::open(url);
  our_pair(locks);
  auto const requests_of = [&](auto const& verb) {
    auto const before = counter.requests();
    verb();
    return static_cast<double>(counter.requests() - before);
  };
  std::vector<row> out;
  auto const tell = [&](char const* verb, double requests) {
    row r{.id = std::string("cosmos/ru/") + verb,
          .unit = "requests",
          .ours = {requests},
          .limit = {1},
          .goals = {{against::limit, 1}}};
    r.note = "writes of one document, for a name that this store has held before";
    out.push_back(std::move(r));
  };
  leasehold::lease lease;
  tell("acquire", requests_of([&] { lease = locks.acquire("orders-42", half_a_minute); }));
  tell("renew", requests_of([&] { lease.renew(); }));
  tell("release", requests_of([&] { lease.release(); }));
  return out;
}

}  // namespace bench
