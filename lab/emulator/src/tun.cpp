#include "tun.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstring>

#include "process.hpp"

namespace sluice::lab {

std::variant<Fd, SystemFault> openTun(const std::string& space,
                                      const std::string& device) {
  if (const auto fault = enterNamespace(space)) return *fault;
  Fd fd(::open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (!fd.ok()) return SystemFault{.step = "open /dev/net/tun", .error = errno};
  ifreq request{};
  // Without IFF_VNET_HDR the kernel hands over no super-packets.
  request.ifr_flags = IFF_TUN | IFF_NO_PI;
  std::strncpy(request.ifr_name, device.c_str(), IFNAMSIZ - 1);
  if (::ioctl(fd.get(), TUNSETIFF, &request) != 0)
    return SystemFault{.step = "make the TUN device", .error = errno};
  return fd;
}

}  // namespace sluice::lab
