// Decides how rows become an aligned table for people or tab-separated records for programs.
#pragma once

#include "view/style.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace leasehold::cli {

struct cell {
  std::string text;
  hue colour = hue::none;
};

class table {
 public:
  struct column {
    std::string_view title;
    bool right = false;  ///< numbers and times
  };
  explicit table(std::vector<column> columns) : columns_(std::move(columns)) {}
  /// As many cells as columns.
  void add(std::vector<cell> row) { rows_.push_back(std::move(row)); }
  [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

  [[nodiscard]] std::string aligned(style const& look, bool headers) const;
  /// One record a line, tabs between the fields, control characters escaped.
  [[nodiscard]] std::string plain(bool headers) const;

 private:
  std::vector<column> columns_;
  std::vector<std::vector<cell>> rows_;
};

/// Writes `rows` to stdout in the call's format (table, wide or plain).
void print(invocation& call, table const& rows);

}  // namespace leasehold::cli
