#include "manifest.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace demo {
namespace {

constexpr std::size_t head_size = 2;  // kind, worker

std::optional<entry> decode(std::vector<std::byte> const& payload) {
  if (payload.size() < head_size) return std::nullopt;
  entry what;
  what.kind = static_cast<entry_kind>(payload[0]);
  what.worker = static_cast<unsigned>(payload[1]);
  bool const has_digest = what.kind == entry_kind::done;
  if (!has_digest && what.kind != entry_kind::taken && what.kind != entry_kind::unreadable) return std::nullopt;
  if (payload.size() != head_size + (has_digest ? what.hash.size() : 0)) return std::nullopt;
  std::copy(payload.begin() + head_size, payload.end(), what.hash.begin());
  return what;
}

}  // namespace

void manifest::append(std::string_view name, std::uint64_t token, entry const& what) {
  std::array<std::byte, head_size + std::tuple_size_v<digest>> payload{};
  payload[0] = static_cast<std::byte>(what.kind);
  payload[1] = static_cast<std::byte>(what.worker);
  std::copy(what.hash.begin(), what.hash.end(), payload.begin() + head_size);
  std::span<std::byte const> const all(payload);
  log_.append(name, token, what.kind == entry_kind::done ? all : all.first(head_size)).value();
}

void manifest::update() {
  auto const news = log_.read(cursor_).value();
  damaged_ += news.damaged;
  for (auto const& record : news.records) {
    auto const what = decode(record.payload);
    if (!what) {
      ++damaged_;
    } else if (record.is_void) {
      stale_.push_back({record.name, record.token, *what});
      holds_.erase(what->worker);
    } else if (what->kind == entry_kind::taken) {
      take(record.name, record.token, *what);
    } else {
      finish(record.name, record.token, *what);
    }
  }
}

void manifest::take(std::string const& name, std::uint64_t token, entry const& what) {
  auto& file = files_[name];
  if (file.open) ++take_overs_;
  file.open = file.done == 0;
  file.taken_token = token;
  file.taken_by = what.worker;
  if (file.open) {
    holds_[what.worker] = {name, token};
  } else {
    holds_.erase(what.worker);  // it will find the file done
  }
}

void manifest::finish(std::string const& name, std::uint64_t token, entry const& what) {
  auto& file = files_[name];
  if (file.done++ == 0) ++done_;
  file.open = false;
  file.last = what;
  file.done_token = token;
  holds_.erase(what.worker);
}

file_state const* manifest::find(std::string const& name) const {
  auto const found = files_.find(name);
  return found == files_.end() ? nullptr : &found->second;
}

bool manifest::is_done(std::string const& name) const {
  auto const* const file = find(name);
  return file != nullptr && file->done != 0;
}

}  // namespace demo
