#include "engines/redis/tls_library.hpp"

#if defined(LEASEHOLD_WITH_TLS)

#include <arpa/inet.h>
#include <dlfcn.h>

#include <array>
#include <optional>
#include <string>

namespace leasehold::inline v0_1::redis {
namespace {

#define LEASEHOLD_TEXT_OF(x) #x
#define LEASEHOLD_TEXT(x) LEASEHOLD_TEXT_OF(x)
constexpr char const* file_name = "libssl.so." LEASEHOLD_TEXT(OPENSSL_SHLIB_VERSION);

template <class F>
bool find(void* in, char const* name, F& out) {
  out = reinterpret_cast<F>(::dlsym(in, name));
  return out != nullptr;
}

std::optional<tls_library> load() {
  void* const lib = ::dlopen(file_name, RTLD_NOW | RTLD_LOCAL);  // never closed
  if (lib == nullptr) return std::nullopt;
  tls_library l{};
  bool const all =
      find(lib, "SSL_do_handshake", l.do_handshake) && find(lib, "SSL_get_error", l.get_error) &&
      find(lib, "SSL_read", l.read) && find(lib, "SSL_write", l.write) &&
      find(lib, "SSL_get_verify_result", l.get_verify_result) && find(lib, "BIO_read", l.bio_read) &&
      find(lib, "BIO_write", l.bio_write) && find(lib, "X509_verify_cert_error_string", l.verify_error_text) &&
      find(lib, "ERR_get_error", l.take_error) && find(lib, "ERR_error_string_n", l.error_text) &&
      find(lib, "SSL_CTX_new", l.context_new) && find(lib, "SSL_CTX_free", l.context_free) &&
      find(lib, "TLS_client_method", l.client_method) && find(lib, "SSL_CTX_ctrl", l.context_control) &&
      find(lib, "SSL_CTX_set_verify", l.set_verify) &&
      find(lib, "SSL_CTX_set_default_verify_paths", l.system_authorities) &&
      find(lib, "SSL_CTX_load_verify_locations", l.load_authority) &&
      find(lib, "SSL_CTX_use_certificate_chain_file", l.use_certificate) &&
      find(lib, "SSL_CTX_use_PrivateKey_file", l.use_key) && find(lib, "SSL_new", l.session_new) &&
      find(lib, "SSL_free", l.session_free) && find(lib, "SSL_set_bio", l.set_bio) &&
      find(lib, "SSL_set_connect_state", l.set_connect_state) && find(lib, "SSL_ctrl", l.session_control) &&
      find(lib, "SSL_set1_host", l.expect_host) && find(lib, "SSL_get0_param", l.session_param) &&
      find(lib, "X509_VERIFY_PARAM_set1_ip_asc", l.expect_address) && find(lib, "BIO_new", l.bio_new) &&
      find(lib, "BIO_s_mem", l.bio_memory);
  return all ? std::optional(l) : std::nullopt;
}

bool is_address(std::string const& host) {
  std::array<unsigned char, 16> ignored{};
  return ::inet_pton(AF_INET, host.c_str(), ignored.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), ignored.data()) == 1;
}

struct context {
  tls_library const& lib;
  SSL_CTX* const it;
  explicit context(tls_library const& l) : lib(l), it(l.context_new(l.client_method())) {}
  context(context const&) = delete;
  context& operator=(context const&) = delete;
  ~context() { lib.context_free(it); }  // sessions keep it alive
};

failure bad_file(settings const& to, std::string const& key, std::string const& path) {
  return {make_error_code(errc::misconfigured), diagnostics(to.shown + ": " + key + "=" + path + " cannot be used",
                                                            "is it there, readable, and in PEM format?")};
}

result<void> use_files(context const& c, settings const& to) {
  auto const& t = to.tls;
  if (t.ca_file.empty()) {
    c.lib.system_authorities(c.it);
  } else if (c.lib.load_authority(c.it, t.ca_file.c_str(), nullptr) != 1) {
    return bad_file(to, "ca", t.ca_file);
  }
  if (t.cert_file.empty()) return {};
  if (c.lib.use_certificate(c.it, t.cert_file.c_str()) != 1) return bad_file(to, "cert", t.cert_file);
  if (c.lib.use_key(c.it, t.key_file.c_str(), SSL_FILETYPE_PEM) != 1) return bad_file(to, "key", t.key_file);
  return {};
}

}  // namespace

void free_ssl::operator()(SSL* s) const noexcept { tls_library::get()->session_free(s); }

tls_library const* tls_library::get() {
  static auto const loaded = load();
  return loaded ? &*loaded : nullptr;
}

result<tls_session> tls_library::new_session(settings const& to) const {
  context const c(*this);
  context_control(c.it, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  context_control(c.it, SSL_CTRL_MODE, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, nullptr);
  set_verify(c.it, to.tls.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (auto ok = use_files(c, to); !ok) return ok.get_failure();
  tls_session out{std::unique_ptr<SSL, free_ssl>(session_new(c.it)), bio_new(bio_memory()), bio_new(bio_memory())};
  set_bio(out.ssl.get(), out.in, out.out);
  set_connect_state(out.ssl.get());
  auto const& name = to.tls.server_name.empty() ? to.host : to.tls.server_name;
  if (is_address(name)) {
    expect_address(session_param(out.ssl.get()), name.c_str());
  } else {
    expect_host(out.ssl.get(), name.c_str());
    session_control(out.ssl.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                    const_cast<char*>(name.c_str()));
  }
  return out;
}

}  // namespace leasehold::inline v0_1::redis

#endif
