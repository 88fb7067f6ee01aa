#include "engines/cosmos/sign.hpp"

#include "engines/cosmos/base64.hpp"
#include "engines/net/sha256.hpp"

namespace leasehold::inline v0_1::cosmos {
namespace {

void append_lower(std::string& out, std::string_view text) {
  for (char const c : text) out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c);
}

}  // namespace

std::string authorization(std::string_view key, std::string_view verb, std::string_view type, std::string_view link,
                          std::string_view date) {
  std::string text;
  append_lower(text, verb);
  text += "\n";
  append_lower(text, type);
  text.append("\n").append(link).append("\n");
  append_lower(text, date);
  text += "\n\n";
  std::string out = "type%3dmaster%26ver%3d1.0%26sig%3d";
  for (char const c : to_base64(net::hmac_sha256(key, text))) {
    switch (c) {
      case '+':
        out += "%2b";
        break;
      case '/':
        out += "%2f";
        break;
      case '=':
        out += "%3d";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

}  // namespace leasehold::inline v0_1::cosmos
