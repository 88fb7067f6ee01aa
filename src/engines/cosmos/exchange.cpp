#include "engines/cosmos/exchange.hpp"

#include "engines/cosmos/http_date.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace leasehold::inline v0_1::cosmos {
namespace {

constexpr std::size_t body_bytes_max = 8 << 20;

bool same_word(std::string_view a, std::string_view lower) noexcept {
  return a.size() == lower.size() && std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
         });
}

std::string_view trimmed(std::string_view text) noexcept {
  auto const is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

template <class T>
T number(std::string_view text) noexcept {
  T value{};
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void read_header(response& into, std::string_view name, std::string_view value) {
  constexpr std::int64_t retry_most_ms = 3'600'000;
  if (same_word(name, "etag")) into.etag = value;
  if (same_word(name, "date")) into.date = read_http_date(value);
  if (same_word(name, "x-ms-request-charge")) into.charge = std::clamp(number<double>(value), 0.0, 1e9);
  if (same_word(name, "x-ms-substatus")) into.substatus = number<int>(value);
  if (same_word(name, "x-ms-session-token")) into.session = value;
  if (same_word(name, "x-ms-continuation")) into.continuation = value;
  if (same_word(name, "x-ms-retry-after-ms")) {
    into.retry_after =
        std::chrono::milliseconds(std::clamp<std::int64_t>(number<std::int64_t>(value), 0, retry_most_ms));
  }
}

}  // namespace

void exchange::finish(result<response> how) {
  std::shared_ptr<spi::waker> waiting;
  {
    std::lock_guard const hold(guard_);
    outcome_.emplace(std::move(how));
    waiting = std::move(waker_);
    done_.store(true, std::memory_order_release);
  }
  if (waiting) waiting->wake();
}

void exchange::leave() {
  std::lock_guard const hold(guard_);
  waker_.reset();
}

carrier::carrier(curl_library const& lib, bool verify, std::string const& ca_file, bool loopback)
    : lib_(lib), easy_(lib.easy_init()) {
  auto const on = [this](CURLoption what, long value) { lib_.setopt(easy_, what, value); };
  on(CURLOPT_NOSIGNAL, 1);
  on(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  on(CURLOPT_TCP_KEEPALIVE, 1);
  on(CURLOPT_FOLLOWLOCATION, 0);
  on(CURLOPT_SSL_VERIFYPEER, verify ? 1 : 0);
  on(CURLOPT_SSL_VERIFYHOST, verify ? 2 : 0);
  if (!ca_file.empty()) lib_.setopt(easy_, CURLOPT_CAINFO, ca_file.c_str());
  if (loopback) lib_.setopt(easy_, CURLOPT_PROXY, "");
  lib_.setopt(easy_, CURLOPT_HEADERFUNCTION, &on_header);
  lib_.setopt(easy_, CURLOPT_HEADERDATA, static_cast<void*>(this));
  lib_.setopt(easy_, CURLOPT_WRITEFUNCTION, &on_body);
  lib_.setopt(easy_, CURLOPT_WRITEDATA, static_cast<void*>(this));
  lib_.setopt(easy_, CURLOPT_PRIVATE, static_cast<void*>(this));
}

carrier::~carrier() {
  clear();
  lib_.easy_cleanup(easy_);
}

void carrier::clear() {
  lib_.list_free(list_);
  list_ = nullptr;
  what_.reset();
}

void carrier::load(std::shared_ptr<exchange> what, time_point now) {
  what_ = std::move(what);
  for (auto const& h : what_->headers) list_ = lib_.list_append(list_, h.c_str());
  auto const left = std::chrono::ceil<std::chrono::milliseconds>(what_->until - now).count();
  auto const limit = static_cast<long>(std::clamp<std::int64_t>(left, 1, 3'600'000));
  lib_.setopt(easy_, CURLOPT_URL, what_->url.c_str());
  lib_.setopt(easy_, CURLOPT_CUSTOMREQUEST, what_->verb.c_str());
  lib_.setopt(easy_, CURLOPT_HTTPHEADER, list_);
  lib_.setopt(easy_, CURLOPT_TIMEOUT_MS, limit);
  lib_.setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, limit);
  if (what_->body.empty()) {
    lib_.setopt(easy_, CURLOPT_HTTPGET, 1L);
  } else {
    lib_.setopt(easy_, CURLOPT_POSTFIELDSIZE, static_cast<long>(what_->body.size()));
    lib_.setopt(easy_, CURLOPT_POSTFIELDS, what_->body.data());
  }
}

void carrier::unload(CURLcode code, time_point now) {
  auto const what = what_;
  if (code != CURLE_OK) {
    auto why = failure_of(code);
    clear();
    return what->finish(std::move(why));
  }
  long status = 0;
  lib_.getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  auto got = std::move(what->got);
  got.status = static_cast<int>(status);
  got.received_at = now;
  clear();
  what->finish(std::move(got));
}

void carrier::abandon() {
  auto const what = what_;
  clear();
  what->finish(failure{make_error_code(errc::cancelled), diagnostics("the store was closed")});
}

failure carrier::failure_of(CURLcode code) const {
  auto const say = [&](errc what, std::string text, std::string hint) {
    return failure{make_error_code(what),
                   diagnostics(what_->shown + ": " + std::move(text), std::move(hint), lib_.error_text(code))};
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return say(errc::unavailable, "the host's name cannot be found",
                 "is the account's name right, and the network up?");
    case CURLE_COULDNT_RESOLVE_PROXY:
      return say(errc::unavailable, "the proxy cannot be found", "see the environment's https_proxy");
    case CURLE_COULDNT_CONNECT:
      return say(errc::unavailable, "cannot connect", "is it up, and is the port open from here?");
    case CURLE_PEER_FAILED_VERIFICATION:
      return say(errc::misconfigured, "the server's certificate is not trusted",
                 "name its authority's file with ca=PATH; insecure=1 trusts anybody");
    case CURLE_SSL_CACERT_BADFILE:
      return say(errc::misconfigured, "the file of ca= cannot be used", "is it there, readable, and in PEM?");
    case CURLE_SSL_CONNECT_ERROR:
      return say(errc::unavailable, "TLS could not be established",
                 "does that port speak HTTPS? an emulator without it needs plain=1");
    default:
      break;
  }
  curl_off_t sent_after = 0;
  lib_.getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
  if (sent_after == 0)
    return say(errc::unavailable, "no connection in time", "is the network slow, or the server overloaded?");
  if (code == CURLE_OPERATION_TIMEDOUT)
    return say(errc::outcome_unknown, "no answer in time", "is the network slow, or the server overloaded?");
  return say(errc::outcome_unknown, "the connection broke",
             "it is made anew for the next request; does that port speak HTTP(S)?");
}

std::size_t carrier::on_header(char* text, std::size_t size, std::size_t count, void* self) {
  auto& got = static_cast<carrier*>(self)->what_->got;
  std::string_view const line(text, size * count);
  if (line.starts_with("HTTP/")) got = {};  // after an interim answer
  if (auto const colon = line.find(':'); colon != std::string_view::npos) {
    read_header(got, line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return size * count;
}

std::size_t carrier::on_body(char* text, std::size_t size, std::size_t count, void* self) {
  auto& body = static_cast<carrier*>(self)->what_->got.body;
  if (body.size() + size * count > body_bytes_max) return 0;
  body.append(text, size * count);
  return size * count;
}

}  // namespace leasehold::inline v0_1::cosmos
