#include "record-store.hpp"

#include <algorithm>
#include <cstring>

namespace sluice {
namespace {

constexpr std::uint32_t kMaxU16 = 0xffff;
constexpr std::uint64_t kMaxU48 = (std::uint64_t{1} << 48U) - 1;

constexpr std::size_t padded(std::size_t bytes) { return (bytes + 7) & ~std::size_t{7}; }

constexpr std::size_t indexOf(Direction direction) {
  return static_cast<std::size_t>(direction);
}

constexpr std::uint16_t saturated(std::uint32_t length) {
  return static_cast<std::uint16_t>(std::min(length, kMaxU16));
}

std::size_t recordBytes(const RecordStore::Slot& slot) {
  return sizeof(RecordHeader) + padded(slot.series.length) + padded(slot.segments.length);
}

}  // namespace

RecordStore::RecordStore(const RecordStoreOptions& options)
    : options_(options), slots_(options.maxRecords), chunks_(options.poolBytes) {}

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
  slot.serial = created_++;
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
  if (packet.payloadLength > 0) {
    header.payloadBytes[way] += std::uint64_t{packet.payloadLength} * times;
    header.payloadPackets[way] += times;
  }
  for (std::size_t flag = 0; flag < 8; ++flag) {
    header.tcpFlags[way][flag] += (packet.tcpFlags >> flag & 1U) * times;
  }
}

void RecordStore::append(std::uint32_t record, const Packet& packet, std::int64_t timeNs,
                         Direction direction) {
  Slot& slot = slots_[record];
  RecordHeader& header = slot.header;
  const std::size_t way = indexOf(direction);
  if (header.packets[way] == 0) header.initialWindow[way] = packet.window;
  const bool up = direction == Direction::kUp;
  const std::uint8_t syn = up ? kSynUp : kSynDown;
  if ((up ? opens(packet.tcpFlags) : answers(packet.tcpFlags)) &&
      (header.flags & syn) == 0) {
    header.flags |= syn;
    header.initialSequence[way] = packet.sequence + 1;
  }
  // The datagram's number in the flow has to be read before it is counted.
  if (packet.payloadLength > 0) appendPayload(slot, packet, direction);
  count(record, packet, direction, 1);
  header.lastNs = std::max(header.lastNs, timeNs);
  appendToSeries(slot, packet, timeNs, direction);
}

void RecordStore::appendToSeries(Slot& slot, const Packet& packet, std::int64_t timeNs,
                                 Direction direction) {
  RecordHeader& header = slot.header;
  if (header.seriesPackets == options_.seriesPackets) return;
  // The series is the flow's beginning: once a packet is missing, none may follow.
  if ((header.flags & kSeriesCut) != 0) return;
  if (chunks_.room(slot.series) < sizeof(SeriesPacket)) {
    header.flags |= kSeriesCut;
    ++poolFull_;
    return;
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
                           .direction = direction};
  chunks_.append(slot.series, std::as_bytes(std::span(&entry, 1)));
  ++header.seriesPackets;
}

void RecordStore::appendPayload(Slot& slot, const Packet& packet, Direction direction) {
  RecordHeader& header = slot.header;
  const std::size_t way = indexOf(direction);
  const std::uint8_t cut = direction == Direction::kUp ? kPayloadCutUp : kPayloadCutDown;
  const std::size_t bound = options_.payloadBytes - slot.stored[way];
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
  slot.next = freed_;
  freed_ = record;
  --used_;
}

void RecordStore::discard(std::uint32_t record) { release(record); }

void RecordStore::end(std::uint32_t record, EndReason reason) {
  Slot& slot = slots_[record];
  slot.header.endReason = reason;
  slot.next = kNone;
  if (lastEnded_ == kNone) {
    firstEnded_ = record;
  } else {
    slots_[lastEnded_].next = record;
  }
  lastEnded_ = record;
  ++ended_;
}

void RecordStore::write(Slot& slot, std::span<std::byte> into) const {
  RecordHeader& header = slot.header;
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

Drained RecordStore::drain(std::span<std::byte> into) {
  Drained drained;
  while (firstEnded_ != kNone) {
    const std::uint32_t record = firstEnded_;
    Slot& slot = slots_[record];
    const std::size_t length = recordBytes(slot);
    if (length > into.size() - drained.bytes) break;
    write(slot, into.subspan(drained.bytes, length));
    drained.bytes += length;
    ++drained.records;
    firstEnded_ = slot.next;
    if (firstEnded_ == kNone) lastEnded_ = kNone;
    --ended_;
    release(record);
  }
  return drained;
}

}  // namespace sluice
