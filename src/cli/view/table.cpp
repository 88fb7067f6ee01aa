// Decides how rows become an aligned table for people or tab-separated records for programs.
#include "view/table.hpp"

#include "base/text.hpp"

#include <unistd.h>

#include <algorithm>

namespace leasehold::cli {

std::string table::aligned(style const& look, bool headers) const {
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    std::size_t width = headers ? columns_[c].title.size() : 0;
    for (auto const& row : rows_) width = std::max(width, columns(printable(row[c].text)));
    widths.push_back(width);
  }
  auto line = [&](auto const& text_of, auto const& hue_of) {
    std::string out;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      auto const text = printable(text_of(c));
      std::string const gap(widths[c] - columns(text), ' ');
      bool const last = c + 1 == columns_.size();
      out += columns_[c].right ? joined({gap, look.paint(hue_of(c), text)})
                               : joined({look.paint(hue_of(c), text), last ? "" : gap});
      if (!last) out += "  ";
    }
    return out + "\n";
  };
  std::string out;
  if (headers) out += line([&](std::size_t c) { return columns_[c].title; }, [](std::size_t) { return hue::none; });
  for (auto const& row : rows_) {
    out += line([&](std::size_t c) { return std::string_view{row[c].text}; },
                [&](std::size_t c) { return row[c].colour; });
  }
  return out;
}

std::string table::plain(bool headers) const {
  std::string out;
  for (std::size_t c = 0; headers && c < columns_.size(); ++c) {
    out.append(columns_[c].title).append(c + 1 == columns_.size() ? "\n" : "\t");
  }
  for (auto const& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c)
      out.append(printable(row[c].text)).append(c + 1 == row.size() ? "\n" : "\t");
  }
  return out;
}

void print(invocation& call, table const& rows) {
  bool const headers = !call.args().has("no-headers");
  bool const plain = call.output() == format::plain;
  emit(plain ? rows.plain(headers) : rows.aligned(style{call, STDOUT_FILENO}, headers));
}

}  // namespace leasehold::cli
