#include "engines/cosmos/curl_library.hpp"

#include <dlfcn.h>

#include <optional>

namespace leasehold::inline v0_1::cosmos {
namespace {

template <class F>
bool find(void* in, char const* name, F& out) {
  out = reinterpret_cast<F>(::dlsym(in, name));
  return out != nullptr;
}

std::optional<curl_library> load() {
  void* const lib = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);  // never closed
  if (lib == nullptr) return std::nullopt;
  curl_library l{};
  bool const all = find(lib, "curl_global_init", l.global_init) && find(lib, "curl_easy_init", l.easy_init) &&
                   find(lib, "curl_easy_setopt", l.setopt) && find(lib, "curl_easy_getinfo", l.getinfo) &&
                   find(lib, "curl_easy_cleanup", l.easy_cleanup) && find(lib, "curl_easy_strerror", l.error_text) &&
                   find(lib, "curl_slist_append", l.list_append) && find(lib, "curl_slist_free_all", l.list_free) &&
                   find(lib, "curl_multi_init", l.multi_init) && find(lib, "curl_multi_cleanup", l.multi_cleanup) &&
                   find(lib, "curl_multi_setopt", l.multi_setopt) && find(lib, "curl_multi_add_handle", l.multi_add) &&
                   find(lib, "curl_multi_remove_handle", l.multi_remove) &&
                   find(lib, "curl_multi_perform", l.perform) && find(lib, "curl_multi_poll", l.poll) &&
                   find(lib, "curl_multi_wakeup", l.wakeup) && find(lib, "curl_multi_info_read", l.info_read);
  if (!all || l.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return std::nullopt;
  return l;
}

}  // namespace

curl_library const* curl_library::get() {
  static auto const loaded = load();
  return loaded ? &*loaded : nullptr;
}

}  // namespace leasehold::inline v0_1::cosmos
