// Decides what the document of a lock says, and how it is read and written as JSON. Reading is total: whatever is not exactly such a
// document is refused, and nothing is granted by it.
#pragma once

#include <leasehold/clock.hpp>
#include <leasehold/result.hpp>
#include <leasehold/traits.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leasehold::inline v0_1::cosmos {

/// Somebody who holds the name; without an identity: nobody may, for as long.
struct entry {
  std::string owner;  ///< random, new for every claim
  std::uint64_t token = 0;
  std::uint64_t beat = 1;  ///< grows with every renewal: an entry whose beat stands still is not being renewed
  duration ttl{};
  duration delay{};          ///< stays busy so much longer when it is not renewed
  bool off = false;          ///< held off: by nobody
  std::int64_t beat_at = 0;  ///< the server's seconds when this beat was written; 0: with the document, see `ts`
  std::int64_t since = 0;    ///< the server's seconds at the grant; 0: with the document
  std::string identity;
  std::string host;
  std::int64_t pid = 0;
  std::string reason;
  std::vector<std::pair<std::string, std::string>> labels;
};

struct document {
  std::string name;
  std::uint64_t fence = 0;    ///< the last token granted
  std::uint64_t version = 0;  ///< grows with every write
  std::string writer;         ///< the owner by whom it was written last
  leasehold::mode mode;       ///< of the entries, if there are any
  std::vector<entry> entries;
  std::string etag;     ///< of the service, verbatim; empty: not read from there
  std::int64_t ts = 0;  ///< the server's seconds when it was written
};

/// Numbers in JSON are exact up to here.
inline constexpr std::uint64_t number_max = std::uint64_t{1} << 53;
inline constexpr int format_version = 1;

/// Errors: errc::mode_mismatch: not a lock of ours, or damaged; errc::unsupported: of a newer version of leasehold.
[[nodiscard]] result<document> read_document(std::string_view json);
/// True of an item that no leasehold has written, as clients of the article create it: an object without a format.
[[nodiscard]] bool is_foreign(std::string_view json);
/// `etag` and `ts` are the service's to write.
[[nodiscard]] std::string write_document(document const& d);

/// The document that keeps a lock's last token while there is no lock, in the article's dialect; nullopt: not one.
[[nodiscard]] std::optional<std::uint64_t> read_fence(std::string_view json);
[[nodiscard]] std::string write_fence(std::string_view id, std::uint64_t fence);

/// What a page of a list says: the documents that are locks, others left out.
[[nodiscard]] std::vector<document> read_page(std::string_view json);

/// The service's own words in an answer that is an error; empty: none that can be read.
[[nodiscard]] std::string read_message(std::string_view json);

}  // namespace leasehold::inline v0_1::cosmos
