// Decides what a byte stream to a server can do; none of it waits.
#pragma once

#include "engines/redis/settings.hpp"

#include <leasehold/result.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace leasehold::inline v0_1::redis {

/// What moving bytes came to. `poll`: nothing moves until the socket is ready for `events`.
struct moved {
  std::size_t bytes = 0;
  short events = 0;  ///< 0: some bytes moved
};

/// A connected socket, or one that is being connected. Closes its descriptor; says no goodbye, so a forked copy harms nobody.
class stream {
 public:
  stream() = default;
  stream(stream const&) = delete;
  stream& operator=(stream const&) = delete;
  virtual ~stream() = default;

  /// What to wait on. May change with each call of `connect`; one that was told stays open for as long as this lives.
  [[nodiscard]] virtual int fd() const noexcept = 0;
  /// It has no address yet.
  [[nodiscard]] virtual bool is_looking_up() const noexcept { return false; }
  /// Goes on connecting. `events` = 0: done.
  [[nodiscard]] virtual result<moved> connect() = 0;
  [[nodiscard]] virtual result<moved> write(std::string_view bytes) = 0;
  /// Bytes that `write` took but has not passed on. `events` = 0: there are none.
  [[nodiscard]] virtual result<moved> flush() { return moved{}; }
  /// 0 bytes and no events: the peer has closed. More may be had at once if the room was filled.
  [[nodiscard]] virtual result<moved> read(std::span<char> room) = 0;
};

/// Begins to connect; where a host has several addresses, with another one each time (`attempt` counts).
[[nodiscard]] result<std::unique_ptr<stream>> connect_plain(settings const& to, unsigned attempt);
/// Wraps `under`. Errors: errc::misconfigured for bad certificate files, errc::unsupported without a TLS library.
[[nodiscard]] result<std::unique_ptr<stream>> wrap_tls(settings const& to, std::unique_ptr<stream> under);

}  // namespace leasehold::inline v0_1::redis
