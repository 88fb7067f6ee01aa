// Decides how OpenSSL is reached: loaded on the first use of rediss:, so that nobody else pays for it.
#pragma once

#include "engines/redis/settings.hpp"
#include "engines/redis/stream.hpp"

#if defined(LEASEHOLD_WITH_TLS)

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <memory>

namespace leasehold::inline v0_1::redis {

struct free_ssl {
  void operator()(SSL* s) const noexcept;
};
/// The two ends of its memory belong to `ssl`.
struct tls_session {
  std::unique_ptr<SSL, free_ssl> ssl;
  BIO* in = nullptr;   ///< what came from the server
  BIO* out = nullptr;  ///< what goes there
};

/// The functions that are used, found by name.
struct tls_library {
  decltype(&::SSL_do_handshake) do_handshake;
  decltype(&::SSL_get_error) get_error;
  decltype(&::SSL_read) read;
  decltype(&::SSL_write) write;
  decltype(&::SSL_get_verify_result) get_verify_result;
  decltype(&::BIO_read) bio_read;
  decltype(&::BIO_write) bio_write;
  decltype(&::X509_verify_cert_error_string) verify_error_text;
  decltype(&::ERR_get_error) take_error;
  decltype(&::ERR_error_string_n) error_text;
  decltype(&::SSL_CTX_new) context_new;
  decltype(&::SSL_CTX_free) context_free;
  decltype(&::TLS_client_method) client_method;
  decltype(&::SSL_CTX_ctrl) context_control;
  decltype(&::SSL_CTX_set_verify) set_verify;
  decltype(&::SSL_CTX_set_default_verify_paths) system_authorities;
  decltype(&::SSL_CTX_load_verify_locations) load_authority;
  decltype(&::SSL_CTX_use_certificate_chain_file) use_certificate;
  decltype(&::SSL_CTX_use_PrivateKey_file) use_key;
  decltype(&::SSL_new) session_new;
  decltype(&::SSL_free) session_free;
  decltype(&::SSL_set_bio) set_bio;
  decltype(&::SSL_set_connect_state) set_connect_state;
  decltype(&::SSL_ctrl) session_control;
  decltype(&::SSL_set1_host) expect_host;
  decltype(&::SSL_get0_param) session_param;
  decltype(&::X509_VERIFY_PARAM_set1_ip_asc) expect_address;
  decltype(&::BIO_new) bio_new;
  decltype(&::BIO_s_mem) bio_memory;

  /// Null where it cannot be loaded. Thread-safe.
  [[nodiscard]] static tls_library const* get();
  /// As client, with the settings' certificates; checks the server's unless told otherwise. Errors: errc::misconfigured.
  [[nodiscard]] result<tls_session> new_session(settings const& to) const;
};

}  // namespace leasehold::inline v0_1::redis

#endif
