// Decides which tokens pass: none below the largest one admitted for its name.
#include <leasehold/fence.hpp>

#include <algorithm>
#include <mutex>
#include <unordered_map>

namespace leasehold::inline v0_1 {

struct token_gate::state {
  struct entry {
    std::mutex writing;
    std::uint64_t largest = 0;  // guarded by `entries_mutex`
  };

  /// Null if the token is too old; else remembers it.
  entry* admit(std::string const& name, std::uint64_t token) {
    std::scoped_lock const guard(entries_mutex);
    entry& found = entries[name];
    if (token < found.largest) return nullptr;
    found.largest = token;
    return &found;
  }

  mutable std::mutex entries_mutex;
  std::unordered_map<std::string, entry> entries;  // entries stay for ever, and where they are
};

token_gate::token_gate() : state_(std::make_unique<state>()) {}
token_gate::~token_gate() = default;

bool token_gate::pass(std::string_view name, std::uint64_t token, std::function<void()> const& write) {
  std::string const key(name);
  auto* const entry = state_->admit(key, token);
  if (entry == nullptr) return false;
  std::scoped_lock const writing(entry->writing);
  // A newer token may have been admitted while this one waited for its turn.
  if (state_->admit(key, token) == nullptr) return false;
  write();
  return true;
}

bool token_gate::admits(std::string_view name, std::uint64_t token) const {
  auto const newest = largest(name);
  return !newest || token >= *newest;
}

std::optional<std::uint64_t> token_gate::largest(std::string_view name) const {
  std::scoped_lock const guard(state_->entries_mutex);
  auto const found = state_->entries.find(std::string(name));
  if (found == state_->entries.end()) return std::nullopt;
  return found->second.largest;
}

}  // namespace leasehold::inline v0_1
