// The one way to read bytes off the wire: that they are there is checked once, when a
// header is taken; the offsets inside a header are checked by the compiler.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace sluice {

using Bytes = std::span<const std::byte>;

/** N bytes that are known to be there. A view: valid as long as the frame is. */
template <std::size_t N>
class HeaderView {
 public:
  explicit constexpr HeaderView(std::span<const std::byte, N> bytes) : bytes_(bytes) {}

  template <std::size_t At>
  [[nodiscard]] constexpr std::uint8_t u8() const {
    static_assert(At < N);
    return std::to_integer<std::uint8_t>(bytes_[At]);
  }

  /** Network byte order. */
  template <std::size_t At>
  [[nodiscard]] constexpr std::uint16_t be16() const {
    return static_cast<std::uint16_t>(u8<At>() << 8U | u8<At + 1>());
  }

  /** Network byte order. */
  template <std::size_t At>
  [[nodiscard]] constexpr std::uint32_t be32() const {
    return std::uint32_t{be16<At>()} << 16U | be16<At + 2>();
  }

  /** As the files of little-endian machines have it. */
  template <std::size_t At>
  [[nodiscard]] constexpr std::uint16_t le16() const {
    return static_cast<std::uint16_t>(u8<At + 1>() << 8U | u8<At>());
  }

  /** As the files of little-endian machines have it. */
  template <std::size_t At>
  [[nodiscard]] constexpr std::uint32_t le32() const {
    return std::uint32_t{le16<At + 2>()} << 16U | le16<At>();
  }

  /** Copies `Count` bytes from `At` on to the front of `to`. */
  template <std::size_t At, std::size_t Count, std::size_t Room>
  void copy(std::array<std::byte, Room>& to) const {
    static_assert(At + Count <= N && Count <= Room);
    std::memcpy(to.data(), bytes_.data() + At, Count);
  }

 private:
  std::span<const std::byte, N> bytes_;
};

/** Walks over captured bytes and never past their end. */
class Cursor {
 public:
  explicit constexpr Cursor(Bytes bytes) : bytes_(bytes) {}

  /** The next N bytes, which the cursor passes; nothing when fewer are left. */
  template <std::size_t N>
  [[nodiscard]] constexpr std::optional<HeaderView<N>> take() {
    const auto header = peek<N>();
    if (header) offset_ += N;
    return header;
  }

  /** The next N bytes; nothing when fewer are left. */
  template <std::size_t N>
  [[nodiscard]] constexpr std::optional<HeaderView<N>> peek() const {
    if (bytes_.size() - offset_ < N) return std::nullopt;
    return HeaderView<N>(bytes_.subspan(offset_).template first<N>());
  }

  /** Passes `count` bytes; false, and nothing passed, when fewer are left. */
  [[nodiscard]] constexpr bool skip(std::size_t count) {
    if (bytes_.size() - offset_ < count) return false;
    offset_ += count;
    return true;
  }

  /** Bytes passed so far. */
  [[nodiscard]] constexpr std::size_t offset() const { return offset_; }

  [[nodiscard]] constexpr Bytes rest() const { return bytes_.subspan(offset_); }

 private:
  Bytes bytes_;
  std::size_t offset_ = 0;
};

}  // namespace sluice
