#include "packet-clock.hpp"

#include <algorithm>
#include <limits>

namespace sluice {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
/** Several receive queues and merged captures reorder by less. */
constexpr std::int64_t kReorderNs = 10'000 * kNsPerMs;
/** Keeps differences of stamps within an i64. */
constexpr std::int64_t kMaxStampNs = std::numeric_limits<std::int64_t>::max() / 2;

}  // namespace

PacketClock::PacketClock(std::uint32_t maxStepMs) : maxStepMs_(maxStepMs) {}

bool PacketClock::observe(std::int64_t stampNs) {
  stampNs = std::clamp(stampNs, -kMaxStampNs, kMaxStampNs);
  if (!started_) {
    started_ = true;
    referenceNs_ = stampNs;
    return false;
  }
  const auto maxStepNs = static_cast<std::int64_t>(maxStepMs_) * kNsPerMs;
  const std::int64_t ahead = stampNs - referenceNs_;
  if (ahead >= -kReorderNs && ahead <= maxStepNs) {
    doubting_ = false;
    if (ahead < kNsPerMs) return false;
    const std::int64_t steps = ahead / kNsPerMs;
    nowMs_ += static_cast<std::uint64_t>(steps);
    referenceNs_ += steps * kNsPerMs;
    return true;
  }
  const std::int64_t off = stampNs - doubtfulNs_;
  const bool agreed = doubting_ && off >= -kReorderNs && off <= maxStepNs;
  doubting_ = !agreed;
  doubtfulNs_ = stampNs;
  if (!agreed) return false;
  referenceNs_ = stampNs;
  if (ahead < 0) return false;
  nowMs_ += maxStepMs_;
  return true;
}

}  // namespace sluice
