#include <leasehold/error.hpp>
#include <leasehold/info.hpp>
#include <leasehold/result.hpp>

#include "model/assert.hpp"

namespace leasehold::inline v0_1 {
namespace {

struct row {
  char const* text;
  errcond condition;  // 0: neither
};

row describe(int code) noexcept {
  constexpr auto neither = errcond{};
  switch (static_cast<errc>(code)) {
    case errc::timed_out:
      return {"not acquired in time", errcond::retryable};
    case errc::probation:
      return {"the engine may have forgotten its grants and is on probation", errcond::retryable};
    case errc::cancelled:
      return {"cancelled", neither};
    case errc::lost:
      return {"the lease is lost", neither};
    case errc::expired:
      return {"the lease had expired", neither};
    case errc::not_owner:
      return {"somebody else holds the name", neither};
    case errc::outcome_unknown:
      return {"the reply was lost; the outcome is unknown", errcond::retryable};
    case errc::unavailable:
      return {"the engine is unavailable", errcond::retryable};
    case errc::auth:
      return {"not permitted", errcond::fatal};
    case errc::misconfigured:
      return {"settings make a safe lock impossible", errcond::fatal};
    case errc::mode_mismatch:
      return {"the name is in use as another kind of lock", errcond::fatal};
    case errc::unsupported:
      return {"this engine cannot do that", errcond::fatal};
    case errc::bad_name:
      return {"bad name", errcond::fatal};
    case errc::bad_option:
      return {"bad option", errcond::fatal};
    case errc::internal:
      return {"internal error of leasehold; please report it", errcond::fatal};
  }
  return {"unknown leasehold error", neither};
}

class errc_category final : public std::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "leasehold"; }
  [[nodiscard]] std::string message(int code) const override { return describe(code).text; }
};

class errcond_category final : public std::error_category {
 public:
  [[nodiscard]] char const* name() const noexcept override { return "leasehold condition"; }
  [[nodiscard]] std::string message(int code) const override {
    return static_cast<errcond>(code) == errcond::retryable ? "may succeed later" : "will not succeed unchanged";
  }
  [[nodiscard]] bool equivalent(std::error_code const& code, int condition) const noexcept override {
    return code.category() == leasehold::error_category() && describe(code.value()).condition == errcond{condition};
  }
};

}  // namespace

std::error_category const& error_category() noexcept {
  // Never destroyed: static objects of users' may ask for an error's text while the process ends (PROC-1).
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): without those bytes at start there is no program to tell.
  static auto const& instance = *new errc_category;
  return instance;
}

std::error_category const& condition_category() noexcept {
  // NOLINTNEXTLINE(bugprone-unhandled-exception-at-new): as above.
  static auto const& instance = *new errcond_category;
  return instance;
}

struct diagnostics::data {
  std::string message;
  std::string hint;
  std::string server_text;
  std::shared_ptr<holder_info const> holder;
  duration retry_after{};
};

diagnostics::diagnostics(std::string message, std::string hint, std::string server_text)
    : data_(std::make_shared<data>(data{std::move(message), std::move(hint), std::move(server_text), nullptr, {}})) {}

std::string_view diagnostics::message() const noexcept { return data_ ? std::string_view(data_->message) : ""; }
std::string_view diagnostics::hint() const noexcept { return data_ ? std::string_view(data_->hint) : ""; }
std::string_view diagnostics::server_text() const noexcept { return data_ ? std::string_view(data_->server_text) : ""; }
holder_info const* diagnostics::holder() const noexcept { return data_ ? data_->holder.get() : nullptr; }
duration diagnostics::retry_after() const noexcept { return data_ ? data_->retry_after : duration::zero(); }

diagnostics diagnostics::with_holder(std::shared_ptr<holder_info const> holder) const {
  auto copy = data_ ? std::make_shared<data>(*data_) : std::make_shared<data>();
  copy->holder = std::move(holder);
  diagnostics out;
  out.data_ = std::move(copy);
  return out;
}

diagnostics diagnostics::with_retry_after(duration after) const {
  auto copy = data_ ? std::make_shared<data>(*data_) : std::make_shared<data>();
  copy->retry_after = after;
  diagnostics out;
  out.data_ = std::move(copy);
  return out;
}

error::error(std::error_code code, leasehold::diagnostics details)
    : std::system_error(code, std::string(details.message())), details_(std::move(details)) {}
error::~error() = default;
lease_lost::~lease_lost() = default;

void failure::raise() const {
  if (code == errc::lost) throw lease_lost(code, details);
  throw leasehold::error(code, details);
}

}  // namespace leasehold::inline v0_1
