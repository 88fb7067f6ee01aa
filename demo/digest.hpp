// Decides how a file becomes a SHA-256 digest.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace demo {

using digest = std::array<std::byte, 32>;

[[nodiscard]] digest sha256(std::string_view text);
/// Of the file `path` below the open directory `directory`; nothing if it cannot be read. Symbolic links are not
/// followed.
[[nodiscard]] std::optional<digest> sha256_of_file(int directory, std::string const& path);
/// 64 hexadecimal digits.
[[nodiscard]] std::string to_text(digest const& bytes);

}  // namespace demo
