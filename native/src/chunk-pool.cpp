#include "chunk-pool.hpp"

namespace sluice {

std::uint32_t ChunkPool::take() {
  ++used_;
  peak_ = std::max(peak_, used_);
  if (freed_ == kNone) return fresh_++;
  const std::uint32_t chunk = freed_;
  freed_ = chunks_[chunk].next;
  // The next one to be taken has not been touched for long.
  if (freed_ != kNone) chunks_.prefetch(freed_);
  return chunk;
}

void ChunkPool::append(ByteChain& chain, Bytes bytes) {
  while (!bytes.empty()) {
    const std::uint32_t over = chain.length % kChunkRoom;
    if (over == 0) {
      const std::uint32_t chunk = take();
      if (chain.length == 0) {
        chain.head = chunk;
      } else {
        chunks_[chain.tail].next = chunk;
      }
      chain.tail = chunk;
    }
    const std::size_t part = std::min<std::size_t>(bytes.size(), kChunkRoom - over);
    std::memcpy(chunks_[chain.tail].bytes.data() + over, bytes.data(), part);
    chain.length += static_cast<std::uint32_t>(part);
    bytes = bytes.subspan(part);
  }
}

void ChunkPool::release(ByteChain& chain) {
  if (chain.length != 0) {
    chunks_[chain.tail].next = freed_;
    freed_ = chain.head;
    used_ -= (chain.length + kChunkRoom - 1) / kChunkRoom;
  }
  chain = {};
}

void ChunkPool::copy(const ByteChain& chain, std::span<std::byte> into) const {
  std::uint32_t chunk = chain.head;
  for (std::size_t done = 0; done < chain.length;) {
    const std::size_t part = std::min<std::size_t>(chain.length - done, kChunkRoom);
    std::memcpy(into.subspan(done, part).data(), chunks_[chunk].bytes.data(), part);
    done += part;
    chunk = chunks_[chunk].next;
  }
}

}  // namespace sluice
