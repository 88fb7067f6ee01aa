// Decides how a user is called.
#include "view/user.hpp"

#include <pwd.h>
#include <sys/types.h>

#include <charconv>

namespace leasehold::cli {

std::string user_name(std::string_view user) {
  uid_t id = 0;
  auto const [end, error] = std::from_chars(user.data(), user.data() + user.size(), id);
  bool const is_number = error == std::errc{} && end == user.data() + user.size();
  passwd found{};
  passwd* known = nullptr;
  char space[2048];
  if (is_number && ::getpwuid_r(id, &found, space, sizeof space, &known) == 0 && known != nullptr)
    return known->pw_name;
  return std::string{user};
}

}  // namespace leasehold::cli
