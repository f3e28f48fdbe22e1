#include "delay-line.hpp"

#include <algorithm>
#include <cmath>

namespace sluice::lab {
namespace {

constexpr std::int64_t kSecondNs = 1'000'000'000;
/** An exponential draw is cut here: one in 3,000 would be longer. */
constexpr double kJitterMeansMax = 8;

}  // namespace

double Dice::roll() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t z = state_;
  z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
  z ^= z >> 31U;
  return static_cast<double>(z >> 11U) * 0x1p-53;
}

Fate DelayLine::admit(std::int64_t nowNs, std::uint32_t bytes) {
  std::int64_t departsNs = nowNs;
  if (settings_.rateBps > 0) {
    const std::int64_t startsNs = std::max(nowNs, busyUntilNs_);
    // In double: bytes of a slow line times 1e9 leave 64 bits too soon for comfort.
    const double waiting = static_cast<double>(startsNs - nowNs) *
                           static_cast<double>(settings_.rateBps) / (8.0 * kSecondNs);
    if (waiting + bytes > static_cast<double>(settings_.queueBytes))
      return {.drop = LineDrop::kQueue};
    departsNs = startsNs + std::int64_t{bytes} * 8 * kSecondNs / settings_.rateBps;
    busyUntilNs_ = departsNs;
  }
  // Behind the rate: what is lost in the air has taken its time on it.
  if (lost()) return {.drop = LineDrop::kLoss};
  const std::int64_t dueNs = departsNs + settings_.delayNs + jitter(nowNs);
  lastReleaseNs_ = std::max(lastReleaseNs_, dueNs);
  return {.releaseNs = lastReleaseNs_};
}

bool DelayLine::lost() {
  if (settings_.burstEnter > 0) {
    const double turn = inBurst_ ? settings_.burstLeave : settings_.burstEnter;
    if (dice_.roll() < turn) inBurst_ = !inBurst_;
  }
  const double chance = inBurst_ ? settings_.burstLoss : settings_.loss;
  return chance > 0 && dice_.roll() < chance;
}

std::int64_t DelayLine::jitter(std::int64_t nowNs) {
  if (settings_.jitterNs == 0) return 0;
  if (!jitterDrawn_ || nowNs >= jitterUntilNs_) {
    const double means = std::min(-std::log(1 - dice_.roll()), kJitterMeansMax);
    jitterNs_ =
        static_cast<std::int64_t>(means * static_cast<double>(settings_.jitterNs));
    jitterUntilNs_ = nowNs + settings_.jitterHoldNs;
    jitterDrawn_ = true;
  }
  return jitterNs_;
}

}  // namespace sluice::lab
