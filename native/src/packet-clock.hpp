// Time stamps of packets -> a clock that only goes forward and cannot be led astray by
// one bad stamp.
#pragma once

#include <cstdint>

namespace sluice {

/**
 * Milliseconds of packet time since the first stamp. It follows the latest stamp seen. A
 * stamp far off (more than a few seconds back, or further ahead than `maxStepMs`) is
 * believed only if the next one agrees: then the clock starts anew from there, having
 * gone on by `maxStepMs` if that was ahead and not at all if it was back. So it never
 * goes on by more than `maxStepMs` at a time.
 */
class PacketClock {
 public:
  explicit PacketClock(std::uint32_t maxStepMs);

  /** Takes a stamp in ns since the epoch, any value; true when the clock has gone on. */
  bool observe(std::int64_t stampNs);

  [[nodiscard]] std::uint64_t nowMs() const { return nowMs_; }

  /** The latest stamp was far off and is not believed yet. */
  [[nodiscard]] bool doubts() const { return doubting_; }

 private:
  std::uint64_t maxStepMs_;
  std::uint64_t nowMs_ = 0;
  std::int64_t referenceNs_ =
      0;                         // the stamp that nowMs_ stands for, less than 1 ms later
  std::int64_t doubtfulNs_ = 0;  // a stamp far off, not believed yet
  bool started_ = false;
  bool doubting_ = false;
};

}  // namespace sluice
