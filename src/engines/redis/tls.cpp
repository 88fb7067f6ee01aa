#include "engines/redis/tls_library.hpp"

#include <poll.h>

#include <algorithm>
#include <array>
#include <string>

namespace leasehold::inline v0_1::redis {

#if defined(LEASEHOLD_WITH_TLS)

namespace {

/// TLS over memory: what goes in and out passes through the stream below, which never raises SIGPIPE.
class tls_stream final : public stream {
 public:
  tls_stream(settings const& to, tls_library const& lib, tls_session session, std::unique_ptr<stream> under)
      : to_(to), lib_(lib), session_(std::move(session)), under_(std::move(under)) {}

  [[nodiscard]] int fd() const noexcept override { return under_->fd(); }
  [[nodiscard]] bool is_looking_up() const noexcept override { return under_->is_looking_up(); }

  result<moved> connect() override {
    if (auto below = under_->connect(); !below || below->events != 0) return below;
    for (;;) {
      int const done = lib_.do_handshake(session_.ssl.get());
      int const why = lib_.get_error(session_.ssl.get(), done);
      auto sent = flush();
      if (!sent || sent->events != 0) return sent;
      if (done == 1) return moved{};
      if (why != SSL_ERROR_WANT_READ) return refused();
      auto got = take_in();
      if (!got) return got.get_failure();
      if (got->events != 0) return moved{0, POLLIN};
      if (got->bytes == 0) return refused();
    }
  }

  result<moved> write(std::string_view bytes) override {
    if (auto before = flush(); !before || before->events != 0) return before;
    constexpr std::size_t record = 16384;
    int const n = lib_.write(session_.ssl.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), record)));
    if (n <= 0) return refused();
    if (auto after = flush(); !after) return after;
    return moved{static_cast<std::size_t>(n), 0};
  }

  result<moved> flush() override {
    std::array<char, 16384> room;
    for (;;) {
      if (out_.empty()) {
        int const n = lib_.bio_read(session_.out, room.data(), static_cast<int>(room.size()));
        if (n <= 0) return moved{};
        out_.assign(room.data(), static_cast<std::size_t>(n));
      }
      auto n = under_->write(out_);
      if (!n || n->events != 0) return n;
      out_.erase(0, n->bytes);
    }
  }

  /// What lies here already is given out before more is taken in: nobody is told of it by the socket.
  result<moved> read(std::span<char> room) override {
    std::size_t have = 0;
    while (have < room.size()) {
      int const n = lib_.read(session_.ssl.get(), room.data() + have, static_cast<int>(room.size() - have));
      if (n > 0) {
        have += static_cast<std::size_t>(n);
        continue;
      }
      int const why = lib_.get_error(session_.ssl.get(), n);
      if (have > 0 || why == SSL_ERROR_ZERO_RETURN) break;
      if (why != SSL_ERROR_WANT_READ) return refused();
      if (auto sent = flush(); !sent) return sent;
      auto got = take_in();
      if (!got || got->events != 0 || got->bytes == 0) return got;
    }
    return moved{have, 0};
  }

 private:
  result<moved> take_in() {
    std::array<char, 16384> room;
    auto n = under_->read(room);
    if (n && n->bytes > 0) lib_.bio_write(session_.in, room.data(), static_cast<int>(n->bytes));
    return n;
  }

  [[nodiscard]] failure refused() const {
    if (auto const why = lib_.get_verify_result(session_.ssl.get()); why != X509_V_OK) {
      return {make_error_code(errc::misconfigured),
              diagnostics(to_.shown + ": its certificate is not accepted: " + lib_.verify_error_text(why),
                          "give the authority that signed it: ca=FILE; or the name in it: server_name=NAME")};
    }
    std::array<char, 256> text{};
    lib_.error_text(lib_.take_error(), text.data(), text.size());
    return {make_error_code(errc::misconfigured), diagnostics(to_.shown + ": no TLS connection came about",
                                                              "is it a plain port? then: redis:; does it ask for a "
                                                              "client's certificate? then: cert=FILE and key=FILE",
                                                              text.data())};
  }

  settings const& to_;
  tls_library const& lib_;
  tls_session session_;
  std::unique_ptr<stream> under_;
  std::string out_;
};

}  // namespace

result<std::unique_ptr<stream>> wrap_tls(settings const& to, std::unique_ptr<stream> under) {
  auto const* lib = tls_library::get();
  if (lib == nullptr) {
    return failure{make_error_code(errc::unsupported),
                   diagnostics(to.shown + ": the TLS library (OpenSSL) cannot be loaded", "install libssl")};
  }
  auto session = lib->new_session(to);
  if (!session) return session.get_failure();
  return std::unique_ptr<stream>(std::make_unique<tls_stream>(to, *lib, std::move(*session), std::move(under)));
}

#else

result<std::unique_ptr<stream>> wrap_tls(settings const& to, std::unique_ptr<stream> /*under*/) {
  return failure{make_error_code(errc::unsupported), diagnostics(to.shown + ": leasehold was built without TLS",
                                                                 "build it with OpenSSL's headers, or use redis:")};
}

#endif

}  // namespace leasehold::inline v0_1::redis
