#include "interface-facts.hpp"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "owned-fd.hpp"

namespace sluice {
namespace {

// ioctl is variadic and ifreq a union (netdevice(7)): both are used here and nowhere
// else.
// NOLINTBEGIN(cppcoreguidelines-pro-type-vararg,cppcoreguidelines-pro-type-union-access)

/** An interface by its name, to be asked things. */
class Device {
 public:
  // Any socket can be asked about any interface; this family is there without networking.
  explicit Device(std::string_view name)
      : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)), name_(name) {}

  [[nodiscard]] bool ok() const { return socket_.ok(); }

  /** Fills `answer`; false, with `errno`, when the kernel refuses. */
  bool ask(unsigned long question, ifreq& answer) const {
    // No interface has such a name (dev_valid_name in net/core/dev.c), but the ioctl
    // would cut it short at the NUL or colon and answer for another.
    constexpr std::string_view kNeverInNames("\0:/", 3);
    if (name_.empty() || name_.size() >= IFNAMSIZ ||
        name_.find_first_of(kNeverInNames) != std::string_view::npos) {
      errno = ENODEV;
      return false;
    }
    std::ranges::copy(name_, std::begin(answer.ifr_name));
    return ::ioctl(socket_.get(), question, &answer) == 0;
  }

  /** `command` is a struct of linux/ethtool.h, which the kernel fills. */
  bool ethtool(void* command) const {
    ifreq request{};
    request.ifr_data = static_cast<char*>(command);
    return ask(SIOCETHTOOL, request);
  }

 private:
  Fd socket_;
  std::string_view name_;
};

std::optional<std::uint32_t> ethtoolValue(const Device& device, std::uint32_t command) {
  ethtool_value value{.cmd = command, .data = 0};
  if (!device.ethtool(&value)) return std::nullopt;
  return value.data;
}

std::optional<bool> ethtoolSwitch(const Device& device, std::uint32_t command) {
  const auto value = ethtoolValue(device, command);
  if (!value) return std::nullopt;
  return *value != 0;
}

using Words = std::vector<std::uint32_t>;

/** How many features this kernel knows; 0 when it does not tell. */
std::uint32_t featureCount(const Device& device) {
  // struct ethtool_sset_info: cmd, reserved, sset_mask of 64 bits, one count.
  struct {
    std::uint32_t command = ETHTOOL_GSSET_INFO;
    std::uint32_t reserved = 0;
    std::uint64_t sets = std::uint64_t{1} << unsigned{ETH_SS_FEATURES};
    std::uint32_t count = 0;
  } question;
  return device.ethtool(&question) && question.sets != 0 ? question.count : 0;
}

/** Features by name: newer ones have no command of their own. */
class Features {
 public:
  explicit Features(const Device& device) : count_(featureCount(device)) {
    if (count_ == 0) return;
    // struct ethtool_gstrings: cmd, string_set, len, names of ETH_GSTRING_LEN bytes.
    Words names(kNamesHead + count_ * kNameWords);
    names[0] = ETHTOOL_GSTRINGS;
    names[1] = ETH_SS_FEATURES;
    names[2] = count_;
    // struct ethtool_gfeatures: cmd, size, then four words for each 32 features.
    const std::uint32_t blocks = (count_ + 31) / 32;
    Words states(kStatesHead + std::size_t{blocks} * kBlockWords);
    states[0] = ETHTOOL_GFEATURES;
    states[1] = blocks;
    if (!device.ethtool(names.data()) || !device.ethtool(states.data())) return;
    names_ = std::move(names);
    states_ = std::move(states);
  }

  [[nodiscard]] std::optional<bool> active(std::string_view name) const {
    if (names_.empty()) return std::nullopt;
    for (std::uint32_t i = 0; i < count_; ++i) {
      std::array<char, ETH_GSTRING_LEN + 1> held{};  // what fills its place has no NUL
      std::memcpy(held.data(), &names_[kNamesHead + i * kNameWords], ETH_GSTRING_LEN);
      if (name == held.data()) return activeAt(i);
    }
    return std::nullopt;
  }

 private:
  static constexpr std::size_t kNamesHead = 3;
  static constexpr std::size_t kNameWords = ETH_GSTRING_LEN / sizeof(std::uint32_t);
  static constexpr std::size_t kStatesHead = 2;
  static constexpr std::size_t kBlockWords = 4;  // available, requested, active, fixed

  [[nodiscard]] bool activeAt(std::uint32_t i) const {
    const std::uint32_t word = states_[kStatesHead + i / 32 * kBlockWords + 2];
    return (word >> (i % 32) & 1U) != 0;
  }

  std::uint32_t count_;
  Words names_;
  Words states_;
};

InterfaceOffloads offloadsOf(const Device& device) {
  InterfaceOffloads offloads;
  offloads.gro = ethtoolSwitch(device, ETHTOOL_GGRO);
  offloads.gso = ethtoolSwitch(device, ETHTOOL_GGSO);
  offloads.tso = ethtoolSwitch(device, ETHTOOL_GTSO);
  if (const auto flags = ethtoolValue(device, ETHTOOL_GFLAGS)) {
    offloads.lro = (*flags & ETH_FLAG_LRO) != 0;
    offloads.rxVlan = (*flags & ETH_FLAG_RXVLAN) != 0;
    offloads.txVlan = (*flags & ETH_FLAG_TXVLAN) != 0;
  }
  const Features features(device);
  offloads.udpGro = features.active("rx-udp-gro-forwarding");
  offloads.hwTc = features.active("hw-tc-offload");
  return offloads;
}

}  // namespace

std::variant<std::uint32_t, SystemFault> interfaceIndex(std::string_view name) {
  const Device device(name);
  if (!device.ok()) return SystemFault{.step = "socket", .error = errno};
  ifreq answer{};
  if (!device.ask(SIOCGIFINDEX, answer)) {
    return SystemFault{.step = "SIOCGIFINDEX", .error = errno};
  }
  return static_cast<std::uint32_t>(answer.ifr_ifindex);
}

std::variant<InterfaceFacts, SystemFault> interfaceFacts(std::string_view name) {
  const Device device(name);
  if (!device.ok()) return SystemFault{.step = "socket", .error = errno};
  InterfaceFacts facts;
  ifreq answer{};
  if (!device.ask(SIOCGIFINDEX, answer)) {
    return SystemFault{.step = "SIOCGIFINDEX", .error = errno};
  }
  facts.index = static_cast<std::uint32_t>(answer.ifr_ifindex);
  if (!device.ask(SIOCGIFMTU, answer)) {
    return SystemFault{.step = "SIOCGIFMTU", .error = errno};
  }
  facts.mtu = static_cast<std::uint32_t>(answer.ifr_mtu);
  if (!device.ask(SIOCGIFHWADDR, answer)) {
    return SystemFault{.step = "SIOCGIFHWADDR", .error = errno};
  }
  facts.hardwareType = answer.ifr_hwaddr.sa_family;
  if (!device.ask(SIOCGIFFLAGS, answer)) {
    return SystemFault{.step = "SIOCGIFFLAGS", .error = errno};
  }
  const auto flags = static_cast<unsigned>(answer.ifr_flags);
  facts.up = (flags & IFF_UP) != 0;
  facts.running = (flags & IFF_RUNNING) != 0;
  facts.promiscuous = (flags & IFF_PROMISC) != 0;
  facts.offloads = offloadsOf(device);
  return facts;
}

// NOLINTEND(cppcoreguidelines-pro-type-vararg,cppcoreguidelines-pro-type-union-access)

}  // namespace sluice
