// Decides what a request to the service and its answer consist of. Values.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::inline v0_1::cosmos {

struct request {
  std::string_view verb = "GET";
  std::string_view type;  ///< of the resource, for the signature: "docs", "colls", "dbs", or empty for the account
  std::string link;       ///< as of `authorization`
  std::string path;       ///< "/dbs/d/colls/c/docs"
  std::vector<std::string> headers;
  std::string body;
  bool is_write = false;  ///< may change something
};

struct response {
  int status = 0;
  int substatus = 0;
  std::string etag;          ///< as it came: quoted by the service, bare from the emulator
  std::int64_t date = 0;     ///< the server's, in seconds since 1970; 0: it did not say
  double charge = 0;         ///< request units
  duration retry_after{};    ///< 0: it did not say
  std::string session;       ///< token
  std::string continuation;  ///< of a list that goes on
  std::string body;
  time_point received_at{};  ///< on our clock
};

}  // namespace leasehold::inline v0_1::cosmos
