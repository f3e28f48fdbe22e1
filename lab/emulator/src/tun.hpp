// A TUN device in a network namespace: IP packets that the kernel routes to it are read,
// those that are written come from it. tuntap, linux/if_tun.h
#pragma once

#include <string>
#include <variant>

#include "owned-fd.hpp"
#include "system-fault.hpp"

namespace sluice::lab {

/** Makes the device, which lives as long as its descriptor; reads and writes do not wait.
 */
[[nodiscard]] std::variant<Fd, SystemFault> openTun(const std::string& space,
                                                    const std::string& device);

}  // namespace sluice::lab
