// Decides how a password that lives in a file reaches the URL handed to the library, and nothing else.
#include "base/problem.hpp"
#include "base/text.hpp"
#include "settings/settings.hpp"

#include <cstdio>
#include <cstdlib>

namespace leasehold::cli {

namespace {

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (char c : text) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "%%%02X", static_cast<unsigned char>(c));
    plain ? out.append(1, c) : out.append(escaped);
  }
  return out;
}

/// "credential:NAME" is a systemd credential.
std::string path_of(setting const& file) {
  constexpr std::string_view prefix = "credential:";
  if (!file.value.starts_with(prefix)) return file.value;
  auto const* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr) {
    throw bad_config(joined({file.origin, ": ", file.value, " needs $CREDENTIALS_DIRECTORY, which is not set"}),
                     "start it from a systemd unit with LoadCredential=, or give a file's path");
  }
  return joined({directory, "/", std::string_view{file.value}.substr(prefix.size())});
}

std::string password_in(setting const& file) {
  auto const path = path_of(file);
  auto text = read_small_file(path);
  if (!text) throw bad_config(joined({file.origin, ": no password file ", path}));
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
  if (text->empty()) throw bad_config(joined({file.origin, ": the password file ", path, " is empty"}));
  return *text;
}

}  // namespace

std::string with_credentials(std::string url, setting const* password_file, setting const* ca_file) {
  if (password_file != nullptr) {
    auto const slashes = url.find("://");
    if (slashes == std::string::npos) {
      throw bad_config(joined({password_file->origin, ": password_file needs a URL with a host"}));
    }
    auto const start = slashes + 3;
    auto const authority = std::string_view{url}.substr(start, url.find_first_of("/?#", start) - start);
    auto const at = authority.rfind('@');
    auto const user = at == authority.npos ? std::string_view{} : authority.substr(0, at);
    if (user.find(':') != user.npos) {
      throw bad_config(joined({password_file->origin, ": the url has a password too"}), "keep the password_file");
    }
    auto const secret = joined({":", percent_encoded(password_in(*password_file)), at == authority.npos ? "@" : ""});
    url.insert(start + user.size(), secret);
  }
  if (ca_file != nullptr) {
    url += joined({url.find('?') == std::string::npos ? "?" : "&", "ca=", percent_encoded(ca_file->value)});
  }
  return url;
}

}  // namespace leasehold::cli
