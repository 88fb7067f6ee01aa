// Decides how a user is called: by name, where the engine knows a number only.
#pragma once

#include <string>
#include <string_view>

namespace leasehold::cli {

/// "deploy" for "1004", if this machine's user database knows it; else `user` as it is.
[[nodiscard]] std::string user_name(std::string_view user);

}  // namespace leasehold::cli
