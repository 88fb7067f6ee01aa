#include "engines/rabbitmq/names.hpp"

#include "engines/net/sha256.hpp"

namespace leasehold::inline v0_1::rabbitmq {
namespace {

std::string in_hexadecimal(std::string_view bytes) {
  std::string out;
  for (char const c : bytes) {
    auto const byte = static_cast<unsigned char>(c);
    out += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
  }
  return out;
}

}  // namespace

std::string queue_of(std::string_view prefix, std::string_view name) {
  constexpr std::size_t queue_bytes_max = 255;
  std::string out(prefix);
  if (out.size() + 1 + name.size() <= queue_bytes_max) return out.append(":").append(name);
  auto const hash = in_hexadecimal(net::sha256(name));
  auto room = queue_bytes_max - out.size() - 2 - hash.size();
  auto const is_inside_character = [&](std::size_t at) {
    return (static_cast<unsigned char>(name[at]) & 0xC0) == 0x80;
  };
  while (room > 0 && is_inside_character(room)) --room;
  return out.append("#").append(name.substr(0, room)).append("#").append(hash);
}

}  // namespace leasehold::inline v0_1::rabbitmq
