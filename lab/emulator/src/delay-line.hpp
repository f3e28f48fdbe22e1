// One direction of an access line: when a packet that comes now will be let go, if ever.
#pragma once

#include <cstdint>
#include <optional>

#include "settings.hpp"

namespace sluice::lab {

/** Numbers that look random, the same ones for a seed on every machine (splitmix64). */
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  /** In [0, 1). */
  double roll();

 private:
  std::uint64_t state_;
};

enum class LineDrop : std::uint8_t { kLoss, kQueue };

/** Of a packet that is let through, when; of one that is not, why. */
struct Fate {
  std::int64_t releaseNs = 0;
  std::optional<LineDrop> drop = std::nullopt;
};

/**
 * Rate with a bounded queue, then delay and jitter. Packets leave in the order in which
 * they came: one that would overtake waits for the one ahead.
 */
class DelayLine {
 public:
  DelayLine(const LineSettings& settings, std::uint64_t seed)
      : settings_(settings), dice_(seed) {}

  /** Times are of any clock that does not turn back. `bytes` is the IP packet's length.
   */
  [[nodiscard]] Fate admit(std::int64_t nowNs, std::uint32_t bytes);

 private:
  bool lost();
  std::int64_t jitter(std::int64_t nowNs);

  LineSettings settings_;
  Dice dice_;
  bool inBurst_ = false;
  std::int64_t busyUntilNs_ = 0;  // the rate: when the last byte so far will have left
  std::int64_t lastReleaseNs_ = 0;
  std::int64_t jitterNs_ = 0;
  std::int64_t jitterUntilNs_ = 0;
  bool jitterDrawn_ = false;
};

}  // namespace sluice::lab
