// Frames -> flows: the flow table. Fixed memory, no clock but the packets', no threads:
// whoever owns it feeds and drains it from one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "decoder.hpp"
#include "flow-index.hpp"
#include "flow-key.hpp"
#include "flow-record.hpp"
#include "packet-clock.hpp"
#include "packet.hpp"
#include "port-set.hpp"
#include "record-store.hpp"
#include "timing-wheel.hpp"

namespace sluice {

/** Bounds: `valid()`. */
struct FlowTableOptions {
  std::uint32_t maxFlows = 65'536;
  std::uint32_t maxRecords =
      65'536;  // live flows with a second packet, and ended ones not drained
  std::uint64_t poolBytes = 64U << 20U;  // for series and payload of all flows
  std::uint32_t seriesPackets = 128;
  std::uint32_t payloadBytes =
      16'384;  // per flow and direction, segment headers included
  std::uint32_t tcpIdleTimeoutMs = 300'000;
  std::uint32_t udpIdleTimeoutMs = 60'000;
  std::uint32_t activeTimeoutMs = 1'800'000;
  std::uint32_t closeLingerMs = 5'000;
  // A flow that carries payload is handed over open once it has so many packets (each
  // greater than the one before; zeros behind), and after so long if it has not been yet.
  std::array<std::uint16_t, 4> readyPackets{};
  std::uint32_t readyAfterMs = 0;  // 0: never
  // TCP packets longer than this were joined by an offload, and are split in the series
  // where the kernel does not say how; 0: none are.
  std::uint16_t mtu = 0;
  // What else there is becomes no flow.
  bool tcp = true;
  bool udp = true;
  std::vector<std::uint16_t> ports = {};  // one of them at either end; empty: any
  std::uint8_t table = 0;  // number of this table among several; stands in each record
  std::uint8_t tunnels = kAllTunnels;                // to be opened
  std::optional<std::uint64_t> seed = std::nullopt;  // of the hash; random without

  [[nodiscard]] bool valid() const;
};

/** Since the table was made. */
struct FlowCounters {
  std::uint64_t frames = 0;
  std::uint64_t packets = 0;  // frames that went into a flow; all others are drops
  std::uint64_t bytes = 0;    // of these frames on the wire
  std::uint64_t joined = 0;  // of these frames, those that several packets were joined in
  std::uint64_t flowsGivenUp = 0;  // ended, and never handed over for want of room
  std::uint64_t flowsCreated = 0;
  std::uint64_t flowsWithoutPayload =
      0;  // ended without ever carrying any: no record was made
  std::array<std::uint64_t, kEndReasonCount> flowsEnded{};
  std::array<std::uint64_t, kDropReasonCount> drops{};
};

/** What the table holds at this moment. */
struct FlowGauges {
  std::uint32_t activeFlows = 0;
  std::uint32_t recordsInUse = 0;
  std::uint32_t recordsEnded = 0;  // of these, waiting to be drained
  std::uint32_t recordsReady = 0;  // of live flows, waiting to be drained
  std::uint32_t chunksInUse = 0;
  std::uint32_t chunksPeak = 0;
  std::uint64_t poolFull = 0;  // packets that found the pool full, so far
};

/**
 * Every flow has an entry of 64 bytes. The entry alone holds a flow of one packet without
 * payload (and its repetitions, and the RST that may answer it), so scans need nothing
 * more. Any other packet makes a record, in which the first packet comes first; a flow
 * that ends without payload gives its record back unread.
 *
 * Owns all its memory, taken in the constructor. Ended flows wait in the order of their
 * end until `drain`; that order depends on the frames alone, not on the seed.
 */
class FlowTable {
 public:
  /** `options.valid()` holds; `ok()` tells whether there was enough memory. */
  explicit FlowTable(const FlowTableOptions& options);

  [[nodiscard]] bool ok() const;
  [[nodiscard]] std::size_t memoryBytes() const;
  /** A buffer of this size can take any record. */
  [[nodiscard]] std::size_t maxRecordBytes() const { return store_.maxRecordBytes(); }

  /**
   * Takes frames until a drain is due; returns how many. Nothing of them is kept but
   * copies. As many as at hand in one call: memory is asked for ahead of the frames that
   * need it.
   */
  std::size_t feed(std::span<const Frame> frames);
  /**
   * Takes all frames, for a source that does not wait. Room is made by giving up the
   * ended flows that have waited longest; they are counted.
   */
  void feedAll(std::span<const Frame> frames);
  /** Lets time go on without a frame: what is due by `nowNs` ends or is ready. */
  void advance(std::int64_t nowNs);
  /** Takes one frame, whether a drain is due or not. */
  void process(const Frame& frame);
  /** Counts a frame that cannot be handed to `process`. */
  void skipFrame(DropReason reason);
  /**
   * Ended flows should be drained before the next frame. Whoever goes on regardless loses
   * nothing already held, but new flows once the record pool is used up (counted as
   * kNoRecord).
   */
  [[nodiscard]] bool needsDrain() const;
  /** Something waits for `drain`. */
  [[nodiscard]] bool hasOutput() const {
    return store_.ended() > 0 || store_.ready() > 0;
  }
  /**
   * Writes ended flows' records back to back, as many as fit whole; then those of ready
   * flows, which go on.
   */
  Drained drain(std::span<std::byte> into) { return store_.drain(into); }
  /**
   * Ends all flows, in the order of their first packets; those already closed keep that
   * reason.
   */
  void flush();

  [[nodiscard]] const FlowCounters& counters() const { return counters_; }
  [[nodiscard]] FlowGauges gauges() const;

 private:
  /** A flow's place in the table, one cache line. */
  struct Entry {
    FlowKey key;
    std::uint8_t state;    // bits below
    std::uint8_t repeats;  // of the remembered first packet
    std::int64_t firstNs;
    std::uint32_t lastMs;  // packet clock; of a closed flow: when it was closed
    // The record, or of a flow without one the first packet's sequence number. A free
    // entry: the next.
    std::uint32_t recordOrSequence;
    std::uint16_t window;  // from here on: the remembered first packet
    std::uint16_t ipLength;
    std::uint16_t vlan;
    std::uint8_t tcpFlags;
    EndReason closeReason;
  };
  static_assert(sizeof(Entry) == 64);

  // Bits of Entry::state.
  static constexpr std::uint8_t kInUse = 1;
  static constexpr std::uint8_t kClientIsHigh = 2;
  static constexpr std::uint8_t kHasRecord = 4;
  static constexpr std::uint8_t kRemembersFirst = 8;  // a packet that no record holds yet
  static constexpr std::uint8_t kFirstIsDown = 16;
  static constexpr std::uint8_t kFinUp = 32;
  static constexpr std::uint8_t kFinDown = 64;
  static constexpr std::uint8_t kClosed = 128;  // FIN both ways, or RST

  static constexpr Direction directionOf(const Entry& entry, bool fromHigh) {
    return fromHigh == ((entry.state & kClientIsHigh) != 0) ? Direction::kUp
                                                            : Direction::kDown;
  }

  /** Where a packet belongs. */
  struct Place {
    DirectedKey tuple;
    std::uint32_t hash;
  };

  static constexpr std::size_t kBatch = 32;

  /** All that can be said of a frame without the table. */
  struct Prepared {
    Drop drop;
    Packet packet;
    Place place{};
    std::uint32_t flow = kNone;  // guesses of what will be touched
    std::uint32_t record = kNone;
  };

  template <class Take>
  std::size_t feedBatches(std::span<const Frame> frames, const Take& takeOne);
  void prepare(const Frame& frame, Prepared& prepared) const;
  void prefetch(std::span<Prepared> batch) const;
  void take(const Frame& frame, const Prepared& prepared);
  [[nodiscard]] bool wants(const Packet& packet) const;
  void observe(std::int64_t timeNs);
  void countDrop(DropReason reason);
  Drop addPacket(const Packet& packet, const Place& place, std::int64_t timeNs);
  /** Why the packet's flow is over before this packet, which then opens another. */
  [[nodiscard]] std::optional<EndReason> overBefore(const Entry& entry,
                                                    const Packet& packet,
                                                    bool fromHigh) const;
  [[nodiscard]] bool reopens(const Entry& entry, const Packet& packet, bool fromClient,
                             std::uint32_t silentMs) const;
  Drop open(const Place& place, const Packet& packet, std::int64_t timeNs,
            std::optional<bool> clientIsHigh);
  Drop continueFlow(std::uint32_t flow, const Packet& packet, std::int64_t timeNs,
                    bool fromHigh);
  static bool onlyRepeats(Entry& entry, const Packet& packet, Direction direction);
  void makeRecord(std::uint32_t flow);
  void append(std::uint32_t flow, const Packet& packet, std::int64_t timeNs,
              Direction direction);
  void noteClosing(std::uint32_t flow, const Packet& packet, Direction direction);
  void noteReady(std::uint32_t record);
  void noteDue();
  void noteYoung(std::uint32_t record);
  void popYoung();
  void makeRoom();
  [[nodiscard]] bool wantsRoom() const;

  void expire();
  void believe();
  void end(std::uint32_t flow, EndReason reason);
  template <class FlowAt>
  std::uint32_t pickVictim(std::uint32_t count, const FlowAt& flowAt);
  void evictFlow();
  void evictRecord();
  [[nodiscard]] std::uint64_t evictionScore(const Entry& entry) const;
  [[nodiscard]] std::uint32_t timeoutMs(const Entry& entry) const;
  [[nodiscard]] std::uint32_t silentMs(const Entry& entry) const;
  [[nodiscard]] bool carriesPayload(const Entry& entry) const;

  FlowTableOptions options_;
  PortSet ports_;
  KeyHasher hasher_;
  PacketClock clock_;
  TimingWheel wheel_;
  FlowIndex index_;
  FixedArray<Entry> entries_;
  RecordStore store_;
  FixedArray<std::uint32_t> flushOrder_;  // room to sort the live records
  ReadyQueue
      young_;  // records whose readyAfterMs has not passed, in the order of creation
  FlowCounters counters_;
  std::uint32_t activeFlows_ = 0;
  std::uint32_t freshEntry_ = 0;  // entries from here on have never been used
  std::uint32_t freeEntry_ = kNone;
  std::uint32_t doubted_ = kNone;  // flow of a packet whose stamp is not believed yet
  std::uint64_t pick_ = 0;         // what evictions look at, in turn
  std::array<Prepared, kBatch> batch_;  // of one call; here, for making it takes time
};

}  // namespace sluice
