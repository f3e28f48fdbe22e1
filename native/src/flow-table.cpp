// The way of a packet into its flow. How flows end: flow-end.cpp.
#include "flow-table.hpp"

#include <algorithm>

namespace sluice {
namespace {

/** A SYN on a flow silent for this long is a new connection. */
constexpr std::uint32_t kReuseSilenceMs = 3'000;

constexpr std::uint32_t kDayMs = 86'400'000;
constexpr std::uint32_t kMaxTimeoutMs = 7 * kDayMs;

constexpr bool within(std::uint64_t value, std::uint64_t least, std::uint64_t most) {
  return value >= least && value <= most;
}

/** Each greater than the one before; behind the last one zeros. */
bool ascending(const std::array<std::uint16_t, 4>& packets) {
  std::uint32_t last = 0;
  bool over = false;
  for (const std::uint16_t value : packets) {
    if (value == 0) {
      over = true;
      continue;
    }
    if (over || value <= last) return false;
    last = value;
  }
  return true;
}

std::uint32_t longestTimeoutMs(const FlowTableOptions& options) {
  return std::max(
      {options.tcpIdleTimeoutMs, options.udpIdleTimeoutMs, options.closeLingerMs});
}

/**
 * RFC 9293: the SYN comes from the client, the SYN-ACK from the server; else the first
 * one counts.
 */
bool senderIsClient(const Packet& packet) { return !answers(packet.tcpFlags); }

/** Asks for what the decoder will read of most frames: two cache lines. */
[[gnu::always_inline]] inline void prefetchHeaders(const Frame& frame) {
  constexpr std::size_t kCacheLine = 64;
  __builtin_prefetch(frame.bytes.data());
  __builtin_prefetch(frame.bytes.data() + kCacheLine);
}

/** Whether an offload has joined several packets into this one. */
bool isJoined(const Packet& packet, std::uint16_t mtu) {
  if (packet.segmentBytes != 0) return packet.payloadLength > packet.segmentBytes;
  return packet.protocol == kProtocolTcp && mtu != 0 && packet.ipLength > mtu;
}

}  // namespace

bool FlowTableOptions::valid() const {
  return within(maxFlows, 16, 1U << 24U) && within(maxRecords, 16, maxFlows) &&
         within(poolBytes, 65'536, std::uint64_t{1} << 36U) &&
         within(seriesPackets, 0, 1'024) && within(payloadBytes, 0, 65'536) &&
         within(tcpIdleTimeoutMs, 1, kMaxTimeoutMs) &&
         within(udpIdleTimeoutMs, 1, kMaxTimeoutMs) &&
         within(activeTimeoutMs, 1, kMaxTimeoutMs) &&
         within(closeLingerMs, 0, kMaxTimeoutMs) && within(readyAfterMs, 0, kDayMs) &&
         (mtu == 0 || mtu >= 576) && ascending(readyPackets) && (tcp || udp) &&
         within(tunnels, 0, kAllTunnels);
}

FlowTable::FlowTable(const FlowTableOptions& options)
    : options_(options),
      ports_(options.ports),
      hasher_(options.seed ? *options.seed : randomSeed()),
      clock_(std::max(longestTimeoutMs(options), options.activeTimeoutMs) + 1),
      wheel_(options.maxFlows, longestTimeoutMs(options)),
      index_(options.maxFlows),
      entries_(options.maxFlows),
      // One to spare: with a record for each flow, a full table is no want of records.
      store_({.maxRecords = options.maxRecords + 1,
              .poolBytes = options.poolBytes,
              .seriesPackets = options.seriesPackets,
              .payloadBytes = options.payloadBytes,
              .mtu = options.mtu,
              .table = options.table}),
      flushOrder_(options.maxRecords + 1),
      young_(options.readyAfterMs == 0 ? 1 : options.maxRecords) {}

bool FlowTable::ok() const {
  return wheel_.ok() && index_.ok() && entries_.ok() && store_.ok() && flushOrder_.ok() &&
         young_.ok();
}

std::size_t FlowTable::memoryBytes() const {
  return sizeof(*this) + wheel_.bytes() + index_.bytes() + entries_.bytes() +
         store_.bytes() + flushOrder_.bytes() + young_.bytes();
}

FlowGauges FlowTable::gauges() const {
  return {.activeFlows = activeFlows_,
          .recordsInUse = store_.used(),
          .recordsEnded = store_.ended(),
          .recordsReady = static_cast<std::uint32_t>(store_.ready()),
          .chunksInUse = store_.chunks().used(),
          .chunksPeak = store_.chunks().peak(),
          .poolFull = store_.poolFull()};
}

void FlowTable::countDrop(DropReason reason) {
  ++counters_.drops[static_cast<std::size_t>(reason)];
}

void FlowTable::skipFrame(DropReason reason) {
  ++counters_.frames;
  countDrop(reason);
}

bool FlowTable::wants(const Packet& packet) const {
  if (!(packet.protocol == kProtocolTcp ? options_.tcp : options_.udp)) return false;
  return ports_.empty() || ports_.contains(packet.sourcePort) ||
         ports_.contains(packet.destinationPort);
}

void FlowTable::prepare(const Frame& frame, Prepared& prepared) const {
  prepared.drop = decode(frame, options_.tunnels, prepared.packet);
  if (prepared.drop) return;
  if (!wants(prepared.packet)) {
    prepared.drop = DropReason::kUnwanted;
    return;
  }
  prepared.packet.segmentBytes = frame.segmentBytes;
  prepared.place.tuple = keyOf(prepared.packet);
  prepared.place.hash = hasher_(prepared.place.tuple.key);
}

void FlowTable::observe(std::int64_t timeNs) {
  const bool goesOn = clock_.observe(timeNs);
  if (doubted_ != kNone) believe();
  if (!goesOn) return;
  expire();
  noteDue();
}

void FlowTable::take(const Frame& frame, const Prepared& prepared) {
  ++counters_.frames;
  observe(frame.timeNs);
  if (prepared.drop) {
    countDrop(*prepared.drop);
    return;
  }
  if (const Drop drop = addPacket(prepared.packet, prepared.place, frame.timeNs)) {
    countDrop(*drop);
    return;
  }
  ++counters_.packets;
  counters_.bytes += frame.wireLength;
  if (isJoined(prepared.packet, options_.mtu)) ++counters_.joined;
  // Ahead of need, so that the next flow finds a record once the caller has drained.
  if (store_.free() == 0 && store_.ended() == 0) evictRecord();
}

void FlowTable::process(const Frame& frame) {
  Prepared prepared;
  prepare(frame, prepared);
  take(frame, prepared);
}

/**
 * A packet touches an index slot, an entry, a record and two chunks, each known only once
 * the one before has been read: with many flows, four waits for memory in a row. For a
 * whole batch at a time, the waits of its packets overlap. These are hints; a wrong guess
 * costs nothing but time.
 */
void FlowTable::prefetch(std::span<Prepared> batch) const {
  for (Prepared& next : batch) {
    next.flow = next.drop ? kNone : index_.guess(next.place.hash);
    if (next.flow != kNone) entries_.prefetch(next.flow);
  }
  for (Prepared& next : batch) {
    next.record = kNone;
    if (next.flow == kNone || (entries_[next.flow].state & kHasRecord) == 0) continue;
    next.record = entries_[next.flow].recordOrSequence;
    store_.prefetch(next.record);
  }
  for (const Prepared& next : batch) {
    if (next.record != kNone) store_.prefetchEnds(next.record);
  }
}

template <class Take>
std::size_t FlowTable::feedBatches(std::span<const Frame> frames, const Take& takeOne) {
  for (std::size_t taken = 0; taken < frames.size();) {
    const auto part = frames.subspan(taken, std::min(kBatch, frames.size() - taken));
    for (const Frame& frame : part) prefetchHeaders(frame);
    for (std::size_t i = 0; i < part.size(); ++i) {
      prepare(part[i], batch_[i]);
      if (!batch_[i].drop) index_.prefetch(batch_[i].place.hash);
    }
    prefetch(std::span(batch_).first(part.size()));
    for (std::size_t i = 0; i < part.size(); ++i, ++taken) {
      if (!takeOne(part[i], batch_[i])) return taken;
    }
  }
  return frames.size();
}

std::size_t FlowTable::feed(std::span<const Frame> frames) {
  return feedBatches(frames, [this](const Frame& frame, const Prepared& prepared) {
    if (needsDrain()) return false;
    take(frame, prepared);
    return true;
  });
}

void FlowTable::feedAll(std::span<const Frame> frames) {
  feedBatches(frames, [this](const Frame& frame, const Prepared& prepared) {
    makeRoom();
    take(frame, prepared);
    return true;
  });
}

Drop FlowTable::addPacket(const Packet& packet, const Place& place, std::int64_t timeNs) {
  const std::uint32_t flow = index_.find(place.hash, [&](std::uint32_t candidate) {
    return entries_[candidate].key == place.tuple.key;
  });
  if (flow == kNone) return open(place, packet, timeNs, std::nullopt);
  const Entry& entry = entries_[flow];
  const auto over = overBefore(entry, packet, place.tuple.fromHigh);
  if (!over) return continueFlow(flow, packet, timeNs, place.tuple.fromHigh);
  // What follows on a flow cut by the active timeout has the same client.
  std::optional<bool> clientIsHigh;
  if (*over == EndReason::kActive) clientIsHigh = (entry.state & kClientIsHigh) != 0;
  end(flow, *over);
  return open(place, packet, timeNs, clientIsHigh);
}

std::optional<EndReason> FlowTable::overBefore(const Entry& entry, const Packet& packet,
                                               bool fromHigh) const {
  const std::uint32_t silent = silentMs(entry);
  const bool fromClient = directionOf(entry, fromHigh) == Direction::kUp;
  if (opens(packet.tcpFlags) && reopens(entry, packet, fromClient, silent)) {
    return EndReason::kReused;
  }
  const bool closed = (entry.state & kClosed) != 0;
  if (silent >= timeoutMs(entry)) return closed ? entry.closeReason : EndReason::kIdle;
  if ((entry.state & kHasRecord) != 0) {
    const std::uint32_t startMs = store_[entry.recordOrSequence].startMs;
    const auto age = static_cast<std::uint32_t>(clock_.nowMs()) - startMs;
    if (age >= options_.activeTimeoutMs) return EndReason::kActive;
  }
  return std::nullopt;
}

/**
 * Whether a SYN opens another connection on the same five-tuple, or is the flow's own
 * once more.
 */
bool FlowTable::reopens(const Entry& entry, const Packet& packet, bool fromClient,
                        std::uint32_t silentMs) const {
  if ((entry.state & kHasRecord) == 0) {
    // One packet so far. After a SYN, one from the other side opens the same connection
    // from both ends.
    if (opens(entry.tcpFlags)) {
      return fromClient && packet.sequence != entry.recordOrSequence;
    }
    // After a SYN-ACK, the client's SYN has only come late.
    if (answers(entry.tcpFlags) && fromClient) return silentMs >= kReuseSilenceMs;
    return true;
  }
  const RecordHeader& header = store_[entry.recordOrSequence].header;
  const bool known = (header.flags & kSynUp) != 0;
  if (fromClient && known && packet.sequence + 1 == header.initialSequence[0]) {
    return false;
  }
  return (entry.state & kClosed) != 0 || silentMs >= kReuseSilenceMs;
}

Drop FlowTable::open(const Place& place, const Packet& packet, std::int64_t timeNs,
                     std::optional<bool> clientIsHigh) {
  if (packet.payloadLength > 0 && store_.free() == 0) return DropReason::kNoRecord;
  if (activeFlows_ == options_.maxFlows) evictFlow();
  const std::uint32_t flow = freeEntry_ == kNone ? freshEntry_++ : freeEntry_;
  Entry& entry = entries_[flow];
  if (flow == freeEntry_) freeEntry_ = entry.recordOrSequence;
  ++activeFlows_;
  ++counters_.flowsCreated;

  const bool fromHigh = place.tuple.fromHigh;
  const bool surely = (packet.tcpFlags & kTcpSyn) != 0;
  const bool high =
      clientIsHigh && !surely ? *clientIsHigh : fromHigh == senderIsClient(packet);
  entry = {.key = place.tuple.key,
           .state = static_cast<std::uint8_t>(kInUse | (high ? kClientIsHigh : 0U)),
           .repeats = 0,
           .firstNs = timeNs,
           .lastMs = static_cast<std::uint32_t>(clock_.nowMs()),
           .recordOrSequence = packet.sequence,
           .window = packet.window,
           .ipLength = static_cast<std::uint16_t>(std::min(packet.ipLength, 0xffffU)),
           .vlan = packet.vlan,
           .tcpFlags = packet.tcpFlags,
           .closeReason = EndReason::kFin};
  if (clock_.doubts()) doubted_ = flow;
  index_.insert(place.hash, flow);
  wheel_.schedule(flow, clock_.nowMs() + timeoutMs(entry));
  const Direction direction = directionOf(entry, fromHigh);
  if (packet.payloadLength > 0) {
    append(flow, packet, timeNs, direction);
    return std::nullopt;
  }
  entry.state |= direction == Direction::kUp
                     ? kRemembersFirst
                     : std::uint8_t{kRemembersFirst | kFirstIsDown};
  noteClosing(flow, packet, direction);
  return std::nullopt;
}

Drop FlowTable::continueFlow(std::uint32_t flow, const Packet& packet,
                             std::int64_t timeNs, bool fromHigh) {
  Entry& entry = entries_[flow];
  const Direction direction = directionOf(entry, fromHigh);
  const bool embryo = (entry.state & kHasRecord) == 0;
  const bool bare = packet.payloadLength == 0;
  // A scanned port that is closed: the entry is free again at once.
  if (embryo && bare && (packet.tcpFlags & kTcpRst) != 0) {
    end(flow, EndReason::kRst);
    return std::nullopt;
  }
  const bool repeated = embryo && bare && onlyRepeats(entry, packet, direction);
  if (embryo && !repeated) {
    if (store_.free() == 0) return DropReason::kNoRecord;
    makeRecord(flow);
  }
  if ((entry.state & kClosed) == 0) {
    entry.lastMs = static_cast<std::uint32_t>(clock_.nowMs());
    if (clock_.doubts()) doubted_ = flow;
  }
  if (!repeated) append(flow, packet, timeNs, direction);
  return std::nullopt;
}

/**
 * A SYN sent again, before anything else has happened: counted, not remembered by itself.
 */
bool FlowTable::onlyRepeats(Entry& entry, const Packet& packet, Direction direction) {
  if (!opens(packet.tcpFlags) || direction != Direction::kUp ||
      packet.tcpFlags != entry.tcpFlags || packet.sequence != entry.recordOrSequence ||
      packet.ipLength != entry.ipLength || entry.repeats == 0xff) {
    return false;
  }
  ++entry.repeats;
  return true;
}

void FlowTable::append(std::uint32_t flow, const Packet& packet, std::int64_t timeNs,
                       Direction direction) {
  Entry& entry = entries_[flow];
  if ((entry.state & kHasRecord) == 0) makeRecord(flow);
  store_.append(entry.recordOrSequence, packet, timeNs, direction);
  noteReady(entry.recordOrSequence);
  noteClosing(flow, packet, direction);
}

/** Gives the flow a record, with the packet that the entry remembers as its first. */
void FlowTable::makeRecord(std::uint32_t flow) {
  Entry& entry = entries_[flow];
  const std::uint32_t record = store_.create(entry.firstNs);
  RecordStore::Slot& slot = store_[record];
  const bool high = (entry.state & kClientIsHigh) != 0;
  slot.flow = flow;
  slot.startMs = entry.lastMs;
  slot.header.ipVersion = entry.key.ipVersion;
  slot.header.protocol = entry.key.protocol;
  slot.header.clientPort = high ? entry.key.highPort : entry.key.lowPort;
  slot.header.serverPort = high ? entry.key.lowPort : entry.key.highPort;
  slot.header.clientAddress = high ? entry.key.high : entry.key.low;
  slot.header.serverAddress = high ? entry.key.low : entry.key.high;
  slot.header.vlan = entry.vlan;
  if ((entry.state & kRemembersFirst) != 0) {
    Packet first;
    first.protocol = entry.key.protocol;
    first.tcpFlags = entry.tcpFlags;
    first.sequence = entry.recordOrSequence;
    first.window = entry.window;
    first.ipLength = entry.ipLength;
    const Direction direction =
        (entry.state & kFirstIsDown) != 0 ? Direction::kDown : Direction::kUp;
    store_.append(record, first, entry.firstNs, direction);
    store_.count(record, first, direction, entry.repeats);
  }
  entry.state = static_cast<std::uint8_t>((entry.state & ~kRemembersFirst) | kHasRecord);
  entry.recordOrSequence = record;
  noteYoung(record);
}

}  // namespace sluice
