// The name of a network interface -> what the kernel says about it. Needs no privilege.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "system-fault.hpp"

namespace sluice {

/** As `ethtool -k` shows them; nothing where kernel or driver do not know the feature. */
struct InterfaceOffloads {
  std::optional<bool> gro;     // generic-receive-offload
  std::optional<bool> lro;     // large-receive-offload
  std::optional<bool> gso;     // generic-segmentation-offload
  std::optional<bool> tso;     // tcp-segmentation-offload
  std::optional<bool> rxVlan;  // rx-vlan-offload: the tag is not in the bytes
  std::optional<bool> txVlan;  // tx-vlan-offload
  std::optional<bool> udpGro;  // rx-udp-gro-forwarding
  std::optional<bool> hwTc;    // hw-tc-offload: hardware may forward what nobody sees
};

struct InterfaceFacts {
  std::uint32_t index = 0;
  std::uint32_t mtu = 0;
  std::uint16_t hardwareType = 0;  // ARPHRD_* of linux/if_arp.h
  bool up = false;
  bool running = false;      // has a carrier
  bool promiscuous = false;  // set by hand; what sniffers ask for does not show
  InterfaceOffloads offloads;
};

/** Asks by netdevice(7) and ethtool ioctls; ENODEV for a name that no interface has. */
std::variant<InterfaceFacts, SystemFault> interfaceFacts(std::string_view name);

/** The interface's index; ENODEV for a name that no interface has. */
std::variant<std::uint32_t, SystemFault> interfaceIndex(std::string_view name);

}  // namespace sluice
