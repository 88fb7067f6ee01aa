// Decides how tests play the Cosmos DB service, after its REST reference: strict where the npm emulator is not (signatures, dates,
// partition keys, quoted ETags, 404s), and scripted where no emulator goes (throttling, doubt, regions, sessions).
#pragma once

#include "support/http_server.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::test {

/// What comes instead of an answer, once.
struct cosmos_fault {
  std::string verb;          ///< of the request that it is for; empty: of any document
  http_reply reply;          ///< of status 0: the connection breaks off
  bool carried_out = false;  ///< the request takes effect all the same
  int times = 1;
  int after = 0;  ///< so many requests for documents
};

class fake_cosmos {
 public:
  fake_cosmos();
  /// Through this all requests go; thread-safe.
  [[nodiscard]] http_handler handler() {
    return [this](http_request const& r) { return answer(r); };
  }
  /// The master key, base64, as it is written in a URL.
  [[nodiscard]] static std::string url_key() { return "c2VjcmV0LW9mLXRoZS1mYWtl"; }
  [[nodiscard]] static std::string url(int port, std::string const& container = "locks") {
    return "cosmos://:" + url_key() + "@127.0.0.1:" + std::to_string(port) + "/db/" + container + "?plain=1";
  }

  /// The next that `f` is for ends so.
  void fail(cosmos_fault f);
  void fail(std::string verb, int status, bool carried_out = false,
            std::vector<std::pair<std::string, std::string>> headers = {});
  [[nodiscard]] bool has_faults_left();
  void forget_faults();

  // What an operator may do.
  [[nodiscard]] std::string document(std::string const& id);  ///< as JSON; empty: none
  void put_document(std::string const& id, std::string const& json);
  void delete_document(std::string const& id);
  void clear();

  // What the account is like; to be set before it is asked.
  std::vector<std::string> regions{"Here"};
  std::size_t write_region = 0;
  bool several_write_regions = false;
  std::string consistency = "Session";
  std::string partition_key = "/pk";
  bool has_container = true;
  std::int64_t clock_offset_s = 0;  ///< of the service's clock from ours
  int port = 0;                     ///< of the regions' endpoints

  /// All documents, to be put back: a fail-over that loses what was acknowledged.
  [[nodiscard]] std::map<std::string, std::string> snapshot();
  void restore(std::map<std::string, std::string> all);
  /// Of requests for documents since the last call: verbs, in order.
  [[nodiscard]] std::vector<std::string> take_verbs();

 private:
  struct stored {
    std::string json;
    std::string etag;
  };
  std::optional<http_reply> answer(http_request const& r);
  [[nodiscard]] std::optional<http_reply> refuse(http_request const& r, std::string const& path) const;
  http_reply carry_out(http_request const& r, std::string const& path);
  http_reply on_documents(http_request const& r);
  http_reply on_document(http_request const& r, std::string const& id);
  http_reply store_document(std::string const& id, std::string const& body, int status);
  [[nodiscard]] http_reply account() const;
  [[nodiscard]] std::int64_t now_s() const;
  [[nodiscard]] http_reply said(int status, std::string body, std::string etag = {}) const;

  std::mutex guard_;
  std::map<std::string, stored> documents_;
  std::deque<cosmos_fault> faults_;
  std::vector<std::string> verbs_;
  std::uint64_t versions_ = 0;
};

}  // namespace leasehold::test
