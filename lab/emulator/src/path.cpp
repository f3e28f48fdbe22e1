#include "path.hpp"

#include <algorithm>

namespace sluice::lab {
namespace {

constexpr std::size_t kIpv4Bytes = 20;
constexpr std::size_t kIpv6Bytes = 40;

/** The client's end of a packet: the source on its way up, the destination down. */
std::optional<Address> clientOf(Way way, Bytes packet) {
  if (packet.empty()) return std::nullopt;
  const auto version = std::to_integer<unsigned>(packet[0]) >> 4U;
  const bool up = way == Way::kUp;
  std::size_t at = 0;
  std::size_t length = 0;
  if (version == 4 && packet.size() >= kIpv4Bytes) {
    at = up ? 12 : 16;
    length = 4;
  } else if (version == 6 && packet.size() >= kIpv6Bytes) {
    at = up ? 8 : 24;
    length = 16;
  } else {
    return std::nullopt;
  }
  Address address{};
  const Bytes found = packet.subspan(at, length);
  std::copy(found.begin(), found.end(), address.begin());
  return address;
}

}  // namespace

Path::Path(const PathSettings& settings, std::uint32_t poolPackets)
    : lineOfClient_(settings.lineOfClient), pool_(poolPackets) {
  // Each direction has dice of its own, so that what one loses does not move the other.
  std::uint64_t seed = settings.seed * 1'000;
  for (const auto& [up, down] : settings.lines) {
    lines_.push_back({DelayLine(up, seed), DelayLine(down, seed + 1)});
    seed += 2;
  }
}

DelayLine* Path::lineOf(Way way, Bytes packet) {
  const auto client = clientOf(way, packet);
  if (!client) return nullptr;
  const auto found = lineOfClient_.find(*client);
  if (found == lineOfClient_.end()) return nullptr;
  return &lines_[found->second][static_cast<std::size_t>(way)];
}

void Path::offer(std::int64_t nowNs, Way way, Bytes packet) {
  DelayLine* line = lineOf(way, packet);
  if (line == nullptr) {
    ++counters_.strangers;
    return;
  }
  const Fate fate = line->admit(nowNs, static_cast<std::uint32_t>(packet.size()));
  if (fate.drop) {
    ++(*fate.drop == LineDrop::kLoss ? counters_.lost : counters_.queueDropped);
    return;
  }
  const auto slot = pool_.put(packet);
  if (!slot) {
    ++counters_.poolDropped;
    return;
  }
  waiting_.push({fate.releaseNs, order_++, *slot, way});
}

std::optional<Due> Path::due(std::int64_t nowNs) const {
  if (waiting_.empty() || waiting_.top().releaseNs > nowNs) return std::nullopt;
  const Waiting& next = waiting_.top();
  return Due{.way = next.way, .packet = pool_.at(next.slot), .releaseNs = next.releaseNs};
}

void Path::released(std::int64_t nowNs) {
  const Waiting gone = waiting_.top();
  waiting_.pop();
  const auto way = static_cast<std::size_t>(gone.way);
  ++counters_.packets[way];
  counters_.bytes[way] += pool_.at(gone.slot).size();
  lateness_.add(nowNs - gone.releaseNs);
  pool_.giveBack(gone.slot);
}

std::optional<std::int64_t> Path::nextNs() const {
  if (waiting_.empty()) return std::nullopt;
  return waiting_.top().releaseNs;
}

}  // namespace sluice::lab
