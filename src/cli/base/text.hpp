// Decides the small text operations every command shares.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace leasehold::cli {

[[nodiscard]] std::string joined(std::initializer_list<std::string_view> parts);
[[nodiscard]] std::string joined(std::vector<std::string> const& parts, std::string_view between);
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
/// `text` with control characters as \xNN, so that nothing from outside can drive the terminal or forge a second line.
[[nodiscard]] std::string printable(std::string_view text);
/// How many terminal columns `text` takes (UTF-8 code points; wide and combining ones count as one).
[[nodiscard]] std::size_t columns(std::string_view text);
/// The candidate closest to `word` if it is close enough to be a slip of the fingers; empty otherwise.
[[nodiscard]] std::string_view nearest(std::string_view word, std::vector<std::string_view> const& candidates);

}  // namespace leasehold::cli
