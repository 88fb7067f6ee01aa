// Decides what systemd is told (sd_notify's datagram protocol); nothing when it did not ask.
#pragma once

#include <string_view>

namespace leasehold::cli {

/// Lines such as "READY=1". Must come from the process systemd started: the front.
void notify_systemd(std::string_view lines);
[[nodiscard]] bool systemd_listens();

}  // namespace leasehold::cli
