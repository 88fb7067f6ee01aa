// Decides how libcurl is reached: loaded on the first use of cosmos:, so that nobody else pays for it.
#pragma once

#include <leasehold/config.hpp>

#include <curl/curl.h>

namespace leasehold::inline v0_1::cosmos {

/// The functions that are used, found by name.
struct curl_library {
  decltype(&::curl_global_init) global_init;
  decltype(&::curl_easy_init) easy_init;
  decltype(&::curl_easy_setopt) setopt;
  decltype(&::curl_easy_getinfo) getinfo;
  decltype(&::curl_easy_cleanup) easy_cleanup;
  decltype(&::curl_easy_strerror) error_text;
  decltype(&::curl_slist_append) list_append;
  decltype(&::curl_slist_free_all) list_free;
  decltype(&::curl_multi_init) multi_init;
  decltype(&::curl_multi_cleanup) multi_cleanup;
  decltype(&::curl_multi_setopt) multi_setopt;
  decltype(&::curl_multi_add_handle) multi_add;
  decltype(&::curl_multi_remove_handle) multi_remove;
  decltype(&::curl_multi_perform) perform;
  decltype(&::curl_multi_poll) poll;
  decltype(&::curl_multi_wakeup) wakeup;
  decltype(&::curl_multi_info_read) info_read;

  /// Null where it cannot be loaded, or is older than 7.68. Thread-safe.
  [[nodiscard]] static curl_library const* get();
};

}  // namespace leasehold::inline v0_1::cosmos
