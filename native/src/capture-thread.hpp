// A thread of its own that reads a packet ring into a flow table and hands batches of
// records over. It never waits for whoever takes them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>

#include "flow-table.hpp"
#include "owned-fd.hpp"
#include "packet-ring.hpp"

namespace sluice {

/** Where a capture stands. */
enum class CaptureState : std::uint8_t {
  kRunning,
  kDown,    // the interface is down; goes on when it is up again
  kEnding,  // no frame is read any more; what is left is being handed over
  kEnded,
};
inline constexpr std::size_t kCaptureStateCount = 4;
inline constexpr std::array<std::string_view, kCaptureStateCount> kCaptureStateNames = {
    "running", "down", "ending", "ended"};

/** What one thread has counted, as of some milliseconds ago. */
struct CaptureReport {
  CaptureState state = CaptureState::kRunning;
  bool interfaceGone = false;  // why it ends, if not asked to
  RingStatistics ring;
  FlowCounters flows;
  FlowGauges gauges;
  std::uint64_t batches = 0;
  std::uint64_t waits = 0;  // times that records were at hand and no batch to put them in
};

/**
 * Owns ring, flow table and thread. Batches are lent by the owner: memory that the thread
 * fills, and that `take` gives back. With no batch at hand, records wait in the table
 * while packets go on being counted; what does not fit there any more is given up, oldest
 * first, and counted.
 */
class CaptureThread {
 public:
  /** Called in the thread when there is something to take, or the state has changed. */
  using Notify = std::function<void()>;

  CaptureThread(PacketRing ring, const FlowTableOptions& options, Notify notify);
  CaptureThread(const CaptureThread&) = delete;
  CaptureThread& operator=(const CaptureThread&) = delete;
  /** Ends at once; what has not been taken is lost. */
  ~CaptureThread();

  [[nodiscard]] bool ok() const { return table_.ok() && wake_.ok(); }
  [[nodiscard]] std::size_t memoryBytes() const { return table_.memoryBytes(); }
  /** A batch has room for one record at least. */
  [[nodiscard]] std::size_t batchBytesMin() const { return table_.maxRecordBytes(); }
  [[nodiscard]] const PacketRing& ring() const { return ring_; }

  void start();
  /** Reads what the ring still holds, ends all flows and hands them over: then kEnded. */
  void stop();

  /** Lends memory to be filled; it stays valid until it is taken, or the thread is gone.
   */
  void lend(std::uint32_t batch, std::span<std::byte> memory);
  struct Taken {
    std::uint32_t batch;
    std::size_t bytes;
  };
  /** The oldest filled batch. */
  [[nodiscard]] std::optional<Taken> take();

  [[nodiscard]] CaptureReport report() const;

 private:
  struct Lent {
    std::uint32_t batch;
    std::span<std::byte> memory;
  };

  void run();
  void readRing();
  void readBlock();
  void wait(int timeoutMs) const;
  void watchInterface();
  void deliver();
  bool deliverOne();
  void finish();
  void publish();
  void setState(CaptureState state);
  [[nodiscard]] int patienceMs() const;

  PacketRing ring_;
  FlowTable table_;
  Notify notify_;
  Fd wake_;  // an eventfd: stop, or a batch while records wait
  std::atomic<bool> stopping_ = false;
  std::atomic<bool> abandoned_ = false;

  // The thread's own.
  RingStatistics statistics_;
  CaptureState state_ = CaptureState::kRunning;
  bool interfaceGone_ = false;
  std::uint64_t batches_ = 0;
  std::uint64_t waits_ = 0;
  std::int64_t publishedNs_ = 0;

  mutable std::mutex mutex_;  // for what follows
  std::deque<Lent> free_;
  std::deque<Taken> filled_;
  CaptureReport report_;

  std::thread thread_;  // last: it uses all of the above
};

}  // namespace sluice
