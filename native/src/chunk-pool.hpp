// Bytes of any length in small pieces from one fixed pool.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "bytes.hpp"
#include "fixed-array.hpp"

namespace sluice {

/** A string of bytes in a ChunkPool, which owns them. All zero is the empty one. */
struct ByteChain {
  std::uint32_t head;
  std::uint32_t tail;
  std::uint32_t length;  // bytes
};

/** Owns the chunks of all chains. 252 bytes a chunk: 21 packets of a series exactly. */
class ChunkPool {
 public:
  static constexpr std::size_t kChunkBytes = 256;
  static constexpr std::uint32_t kChunkRoom = 252;

  explicit ChunkPool(std::size_t poolBytes)
      : count_(static_cast<std::uint32_t>(poolBytes / kChunkBytes)), chunks_(count_) {}

  [[nodiscard]] bool ok() const { return chunks_.ok(); }
  [[nodiscard]] std::size_t bytes() const { return chunks_.bytes(); }
  [[nodiscard]] std::uint32_t free() const { return count_ - used_; }
  [[nodiscard]] std::uint32_t used() const { return used_; }
  [[nodiscard]] std::uint32_t peak() const { return peak_; }

  /** Bytes that `chain` could still take. */
  [[nodiscard]] std::size_t room(const ByteChain& chain) const {
    return tailRoom(chain) + std::size_t{free()} * kChunkRoom;
  }

  /** Asks for the place that `append` will write to first. */
  [[gnu::always_inline]] void prefetchEnd(const ByteChain& chain) const {
    const std::uint32_t over = chain.length % kChunkRoom;
    if (over != 0) __builtin_prefetch(&chunks_[chain.tail].bytes[over], 1);
  }

  /** Appends `bytes`, which are no more than `room(chain)`. */
  void append(ByteChain& chain, Bytes bytes);
  /** Empties `chain` and takes its chunks back. */
  void release(ByteChain& chain);
  /** Copies the whole chain to the front of `into`, which is large enough. */
  void copy(const ByteChain& chain, std::span<std::byte> into) const;

 private:
  struct Chunk {
    std::uint32_t next;
    std::array<std::byte, kChunkRoom> bytes;
  };
  static_assert(sizeof(Chunk) == kChunkBytes);

  static std::size_t tailRoom(const ByteChain& chain) {
    const std::uint32_t over = chain.length % kChunkRoom;
    return over == 0 ? 0 : kChunkRoom - over;
  }

  [[nodiscard]] std::uint32_t take();

  std::uint32_t count_;
  FixedArray<Chunk> chunks_;
  std::uint32_t used_ = 0;
  std::uint32_t peak_ = 0;
  std::uint32_t fresh_ = 0;  // chunks from here on have never been used
  std::uint32_t freed_ = kNone;
};

}  // namespace sluice
