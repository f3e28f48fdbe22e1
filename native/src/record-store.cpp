#include "record-store.hpp"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

constexpr std::uint32_t kMaxU16 = 0xffff;
constexpr std::uint64_t kMaxU48 = (std::uint64_t{1} << 48U) - 1;
/** Flags that only the last one of packets that were joined had: FIN, PSH. */
constexpr std::uint8_t kTcpLastOnly = kTcpFin | 8U;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

constexpr std::size_t indexOf(Direction direction) {
  return static_cast<std::size_t>(direction);
}

constexpr std::uint16_t saturated(std::uint32_t length) {
  return static_cast<std::uint16_t>(std::min(length, kMaxU16));
}

/**
 * TCP: the sequence number behind the furthest byte that a direction has sent, of a live
 * record. It is kept where the record's two lengths will stand, which `write` alone fills
 * in: a slot stays four cache lines long.
 */
std::uint32_t& nextSequence(RecordHeader& header, std::size_t way) {
  return way == 0 ? header.recordBytes : header.segmentBytes;
}

/**
 * Whether a packet starts before the end of what its direction has sent: sent again, or
 * overtaken on its way. SYN and FIN take a sequence number each (RFC 9293 section 3.4);
 * a packet that takes none, such as an ACK alone, is never behind. To be asked once for
 * each packet, before it is counted.
 */
bool fallsBehind(RecordHeader& header, const Packet& packet, std::size_t way) {
  if (packet.protocol != kProtocolTcp) return false;
  const std::uint32_t length = packet.payloadLength +
                               ((packet.tcpFlags & kTcpSyn) != 0 ? 1 : 0) +
                               ((packet.tcpFlags & kTcpFin) != 0 ? 1 : 0);
  const std::uint32_t end = packet.sequence + length;
  std::uint32_t& next = nextSequence(header, way);
  if (header.packets[way] == 0) {
    next = end;
    return false;
  }
  if (length == 0) return false;
  // Numbers wrap around: what is less than half a circle behind is behind.
  constexpr std::uint32_t kHalf = 1U << 31U;
  const bool behind = packet.sequence - next >= kHalf;
  if (end - next < kHalf) next = end;
  return behind;
}

/** Adds `times` to the counter of each flag that is set; four flags in one step. */
void countFlags(std::array<std::uint32_t, 8>& counters, std::uint8_t flags,
                std::uint32_t times) {
  using Four [[gnu::vector_size(16)]] = std::uint32_t;
  const Four set = Four{} + flags;
  std::array<Four, 2> sums{};
  std::memcpy(&sums, &counters, sizeof(sums));
  sums[0] += static_cast<Four>((set & Four{1, 2, 4, 8}) != 0) & (Four{} + times);
  sums[1] += static_cast<Four>((set & Four{16, 32, 64, 128}) != 0) & (Four{} + times);
  std::memcpy(&counters, &sums, sizeof(sums));
}

std::size_t recordBytes(const RecordStore::Slot& slot) {
  return sizeof(RecordHeader) + padded(slot.series.length) + padded(slot.segments.length);
}

}  // namespace

RecordStore::RecordStore(const RecordStoreOptions& options)
    : options_(options),
      slots_(options.maxRecords),
      chunks_(options.poolBytes),
      // Twice: entries of records that have ended stay until they are drained.
      ready_(options.maxRecords * 2) {}

std::size_t RecordStore::maxRecordBytes() const {
  return sizeof(RecordHeader) + padded(options_.seriesPackets * sizeof(SeriesPacket)) +
         padded(std::size_t{2} * options_.payloadBytes);
}

std::uint32_t RecordStore::create(std::int64_t firstNs) {
  ++used_;
  const std::uint32_t record = freed_ == kNone ? fresh_++ : freed_;
  Slot& slot = slots_[record];
  if (record == freed_) freed_ = slot.next;
  slot = {};
  slot.header.serial = created_++;
  slot.header.table = options_.table;
  slot.header.firstNs = firstNs;
  slot.header.lastNs = firstNs;
  return record;
}

void RecordStore::count(std::uint32_t record, const Packet& packet, Direction direction,
                        std::uint32_t times) {
  RecordHeader& header = slots_[record].header;
  const std::size_t way = indexOf(direction);
  header.packets[way] += times;
  header.bytes[way] += std::uint64_t{packet.ipLength} * times;
  header.payloadBytes[way] += std::uint64_t{packet.payloadLength} * times;
  header.payloadPackets[way] += packet.payloadLength > 0 ? times : 0;
  countFlags(header.tcpFlags[way], packet.tcpFlags, times);
}

/** Packets that the kernel has joined: as many, and as long, as on the wire. */
void RecordStore::countJoined(Slot& slot, const Packet& packet, Direction direction) {
  RecordHeader& header = slot.header;
  const std::size_t way = indexOf(direction);
  const std::uint32_t packets =
      (packet.payloadLength + packet.segmentBytes - 1) / packet.segmentBytes;
  const std::uint32_t headers = packet.ipLength - packet.payloadLength;
  header.packets[way] += packets;
  header.bytes[way] += packet.payloadLength + std::uint64_t{headers} * packets;
  header.payloadBytes[way] += packet.payloadLength;
  header.payloadPackets[way] += packets;
  for (std::size_t flag = 0; flag < 8; ++flag) {
    const std::uint32_t once = packet.tcpFlags >> flag & 1U;
    header.tcpFlags[way][flag] +=
        (kTcpLastOnly >> flag & 1U) != 0 ? once : once * packets;
  }
}

void RecordStore::append(std::uint32_t record, const Packet& packet, std::int64_t timeNs,
                         Direction direction) {
  Slot& slot = slots_[record];
  RecordHeader& header = slot.header;
  const std::size_t way = indexOf(direction);
  if (header.packets[way] == 0) header.initialWindow[way] = packet.window;
  const auto marks = static_cast<std::uint8_t>(
      (direction == Direction::kDown ? kDown : 0) |
      (fallsBehind(header, packet, way) ? kBehind : 0));
  const bool up = direction == Direction::kUp;
  const std::uint8_t syn = up ? kSynUp : kSynDown;
  if ((up ? opens(packet.tcpFlags) : answers(packet.tcpFlags)) &&
      (header.flags & syn) == 0) {
    header.flags |= syn;
    header.initialSequence[way] = packet.sequence + 1;
  }
  if (packet.segmentLimit != 0) {
    slot.segmentLimit = slot.segmentLimit == 0
                            ? packet.segmentLimit
                            : std::min(slot.segmentLimit, packet.segmentLimit);
  }
  // The datagram's number in the flow has to be read before it is counted.
  if (packet.payloadLength > 0) appendPayload(slot, packet, direction);
  if (packet.segmentBytes != 0 && packet.payloadLength > packet.segmentBytes) {
    countJoined(slot, packet, direction);
  } else {
    count(record, packet, direction, 1);
  }
  header.lastNs = std::max(header.lastNs, timeNs);
  if (segmentOf(slot, packet) != 0) {
    splitIntoSeries(slot, packet, timeNs, marks);
  } else {
    static_cast<void>(appendToSeries(slot, packet, timeNs, marks));
  }
}

std::uint32_t RecordStore::segmentOf(const Slot& slot, const Packet& packet) const {
  if (packet.segmentBytes != 0) {
    return packet.payloadLength > packet.segmentBytes ? packet.segmentBytes : 0;
  }
  // The kernel has not told: a TCP packet longer than the path takes was many. Datagrams
  // are left alone, for nobody knows how long theirs were.
  if (packet.protocol != kProtocolTcp || options_.mtu == 0 ||
      packet.ipLength <= options_.mtu) {
    return 0;
  }
  const std::uint32_t headers = packet.ipLength - packet.payloadLength;
  if (headers >= options_.mtu) return 0;
  const std::uint32_t room = options_.mtu - headers;
  // MSS counts the payload of a packet without TCP options, RFC 6691.
  const std::uint32_t plain = slot.header.ipVersion == 4 ? 40 : 60;
  const std::uint32_t options = headers > plain ? headers - plain : 0;
  if (slot.segmentLimit <= options) return room;
  return std::min<std::uint32_t>(room, slot.segmentLimit - options);
}

void RecordStore::splitIntoSeries(Slot& slot, const Packet& packet, std::int64_t timeNs,
                                  std::uint8_t marks) {
  const std::uint32_t segment = segmentOf(slot, packet);
  const std::uint32_t headers = packet.ipLength - packet.payloadLength;
  Packet part = packet;
  for (std::uint32_t left = packet.payloadLength; left > 0;) {
    const bool last = left <= segment;
    part.payloadLength = last ? left : segment;
    part.ipLength = headers + part.payloadLength;
    part.tcpFlags = last ? packet.tcpFlags
                         : static_cast<std::uint8_t>(packet.tcpFlags & ~kTcpLastOnly);
    if (!appendToSeries(slot, part, timeNs, marks)) return;
    left -= part.payloadLength;
  }
}

/** False when the series takes no more. */
bool RecordStore::appendToSeries(Slot& slot, const Packet& packet, std::int64_t timeNs,
                                 std::uint8_t marks) {
  RecordHeader& header = slot.header;
  if (header.seriesPackets == options_.seriesPackets) return false;
  // The series is the flow's beginning: once a packet is missing, none may follow.
  if ((header.flags & kSeriesCut) != 0) return false;
  if (chunks_.room(slot.series) < sizeof(SeriesPacket)) {
    header.flags |= kSeriesCut;
    ++poolFull_;
    return false;
  }
  // Stamps may be hostile: as unsigned numbers their difference is defined, and checked
  // afterwards.
  const std::uint64_t since =
      timeNs <= header.firstNs ? 0
                               : std::min(static_cast<std::uint64_t>(timeNs) -
                                              static_cast<std::uint64_t>(header.firstNs),
                                          kMaxU48);
  const SeriesPacket entry{.timeNs = {static_cast<std::uint16_t>(since),
                                      static_cast<std::uint16_t>(since >> 16U),
                                      static_cast<std::uint16_t>(since >> 32U)},
                           .ipLength = saturated(packet.ipLength),
                           .payloadLength = saturated(packet.payloadLength),
                           .tcpFlags = packet.tcpFlags,
                           .marks = marks};
  chunks_.append(slot.series, std::as_bytes(std::span(&entry, 1)));
  ++header.seriesPackets;
  return true;
}

void RecordStore::appendPayload(Slot& slot, const Packet& packet, Direction direction) {
  RecordHeader& header = slot.header;
  const std::size_t way = indexOf(direction);
  const std::uint8_t cut = direction == Direction::kUp ? kPayloadCutUp : kPayloadCutDown;
  const std::size_t bound = options_.payloadBytes - slot.stored[way];
  // Most packets of long flows come this way.
  if (bound <= sizeof(SegmentHeader)) {
    header.flags |= cut;
    return;
  }
  const std::size_t wanted = std::min<std::size_t>(packet.payload.size(), kMaxU16);
  const std::size_t room = chunks_.room(slot.segments);
  if (room < sizeof(SegmentHeader) + wanted && room < bound) ++poolFull_;
  const std::size_t space = std::min(bound, room);
  // A capture of headers alone leaves the payload out, too.
  if (wanted == 0 || space <= sizeof(SegmentHeader)) {
    header.flags |= cut;
    return;
  }
  const std::size_t length = std::min(wanted, space - sizeof(SegmentHeader));
  if (length < wanted) header.flags |= cut;
  const bool captureCut = packet.payload.size() < packet.payloadLength;
  const bool tcp = packet.protocol == kProtocolTcp;
  // The SYN takes a sequence number of its own (RFC 9293 section 3.4).
  const std::uint32_t first =
      packet.sequence + ((packet.tcpFlags & kTcpSyn) != 0 ? 1 : 0);
  const auto datagram = static_cast<std::uint32_t>(header.packets[0] + header.packets[1]);
  const SegmentHeader segment{
      .sequence = tcp ? first : datagram,
      .length = static_cast<std::uint16_t>(length),
      .direction = direction,
      .flags = captureCut ? kCaptureCut : std::uint8_t{0},
  };
  chunks_.append(slot.segments, std::as_bytes(std::span(&segment, 1)));
  chunks_.append(slot.segments, packet.payload.first(length));
  slot.stored[way] += static_cast<std::uint32_t>(sizeof(SegmentHeader) + length);
}

void RecordStore::release(std::uint32_t record) {
  Slot& slot = slots_[record];
  chunks_.release(slot.series);
  chunks_.release(slot.segments);
  slot.flow = kNone;
  slot.next = freed_;
  freed_ = record;
  --used_;
}

void RecordStore::discard(std::uint32_t record) { release(record); }

void RecordStore::end(std::uint32_t record, EndReason reason) {
  Slot& slot = slots_[record];
  slot.header.endReason = reason;
  slot.flow = kNone;
  slot.next = kNone;
  if (lastEnded_ == kNone) {
    firstEnded_ = record;
  } else {
    slots_[lastEnded_].next = record;
  }
  lastEnded_ = record;
  ++ended_;
}

void RecordStore::write(const Slot& slot, std::span<std::byte> into) const {
  RecordHeader header = slot.header;
  header.recordBytes = static_cast<std::uint32_t>(into.size());
  header.segmentBytes = slot.segments.length;
  std::memcpy(into.data(), &header, sizeof(header));
  std::span<std::byte> rest = into.subspan(sizeof(header));
  for (const ByteChain& chain : {slot.series, slot.segments}) {
    const std::size_t end = padded(chain.length);
    chunks_.copy(chain, rest);
    std::ranges::fill(rest.subspan(chain.length, end - chain.length), std::byte{0});
    rest = rest.subspan(end);
  }
}

void RecordStore::markReady(std::uint32_t record) {
  Slot& slot = slots_[record];
  if (slot.waiting || ready_.full()) return;
  slot.waiting = true;
  ready_.push({.record = record, .serial = slot.header.serial});
}

bool RecordStore::isLive(const ReadyQueue::Entry& entry) const {
  // A record that is not live has nobody's flow.
  const Slot& slot = slots_[entry.record];
  return slot.flow != kNone && slot.header.serial == entry.serial;
}

std::uint32_t RecordStore::takeEnded() {
  const std::uint32_t record = firstEnded_;
  firstEnded_ = slots_[record].next;
  if (firstEnded_ == kNone) lastEnded_ = kNone;
  --ended_;
  return record;
}

void RecordStore::giveUpEnded() { release(takeEnded()); }

void RecordStore::drainEnded(std::span<std::byte> into, Drained& drained) {
  while (firstEnded_ != kNone) {
    Slot& slot = slots_[firstEnded_];
    const std::size_t length = recordBytes(slot);
    if (length > into.size() - drained.bytes) return;
    write(slot, into.subspan(drained.bytes, length));
    drained.bytes += length;
    ++drained.records;
    release(takeEnded());
  }
}

void RecordStore::drainReady(std::span<std::byte> into, Drained& drained) {
  while (!ready_.empty()) {
    const ReadyQueue::Entry entry = ready_.front();
    if (isLive(entry)) {
      Slot& slot = slots_[entry.record];
      const std::size_t length = recordBytes(slot);
      if (length > into.size() - drained.bytes) return;
      slot.header.endReason = EndReason::kOpen;
      write(slot, into.subspan(drained.bytes, length));
      slot.waiting = false;
      if (slot.header.handovers < 0xff) ++slot.header.handovers;
      drained.bytes += length;
      ++drained.records;
    }
    ready_.pop();
  }
}

Drained RecordStore::drain(std::span<std::byte> into) {
  Drained drained;
  drainEnded(into, drained);
  // Only behind the last ended record: its memory is needed first.
  if (firstEnded_ == kNone) drainReady(into, drained);
  return drained;
}

}  // namespace sluice
