// The native flow table as a JavaScript class. Arguments are checked in
// src/flow/flow-table.ts; what could break memory safety is checked here again. Errors
// become JavaScript exceptions here and nowhere else.
#include "binding.hpp"

#include <napi.h>

#include <memory>
#include <string>

#include "binding-interface.hpp"
#include "capture-file.hpp"
#include "capture-indexer.hpp"
#include "flow-table.hpp"
#include "frame-block.hpp"

namespace sluice {
namespace {

/** The JavaScript class; owns its flow table. */
class FlowTableObject : public Napi::ObjectWrap<FlowTableObject> {
 public:
  static Napi::Function define(Napi::Env env) {
    return DefineClass(
        env, "FlowTable",
        {InstanceMethod<&FlowTableObject::feed>("feed"),
         InstanceMethod<&FlowTableObject::startFile>("startFile"),
         InstanceMethod<&FlowTableObject::feedFile>("feedFile"),
         InstanceMethod<&FlowTableObject::drain>("drain"),
         InstanceMethod<&FlowTableObject::flush>("flush"),
         InstanceMethod<&FlowTableObject::counters>("counters"),
         InstanceMethod<&FlowTableObject::memoryBytes>("memoryBytes"),
         InstanceMethod<&FlowTableObject::maxRecordBytes>("maxRecordBytes")});
  }

  explicit FlowTableObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<FlowTableObject>(info) {
    const Napi::Env env = info.Env();
    FlowTableOptions options;
    if (!info[0].IsObject() || !readOptions(info[0].As<Napi::Object>(), options)) {
      throwError(env, "ERR_FLOW_TABLE_OPTIONS", "flow table: an option is out of bounds");
      return;
    }
    table_ = std::make_unique<FlowTable>(options);
    if (!table_->ok()) {
      const std::size_t wanted = table_->memoryBytes();
      table_.reset();
      throwError(
          env, "ERR_FLOW_TABLE_MEMORY",
          "flow table: " + std::to_string(wanted) + " bytes of memory cannot be had");
      return;
    }
    account(env, static_cast<std::int64_t>(table_->memoryBytes()));
  }

  void Finalize(Napi::Env env) override {
    if (table_) account(env, -static_cast<std::int64_t>(table_->memoryBytes()));
  }

 private:
  /** Lets the garbage collector know how much a forgotten table holds. */
  static void account(Napi::Env env, std::int64_t bytes) {
    Napi::MemoryManagement::AdjustExternalMemory(env, bytes);
  }

  /**
   * feed(block, index, from, count, linkType): frames taken, fewer than count if a drain
   * is due.
   */
  Napi::Value feed(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    // Numbers are not converted: that would run JavaScript, which may take the buffers
    // away.
    if (!isArray(info[0], napi_uint8_array) || !isArray(info[1], napi_uint32_array) ||
        !info[2].IsNumber() || !info[3].IsNumber() || !info[4].IsNumber()) {
      throwError(env, "ERR_FLOW_TABLE_BLOCK",
                 "feed wants a Uint8Array, a Uint32Array and three numbers");
      return env.Undefined();
    }
    const auto block = info[0].As<Napi::Uint8Array>();
    const auto words = info[1].As<Napi::Uint32Array>();
    const std::size_t from = info[2].As<Napi::Number>().Uint32Value();
    const std::size_t count = info[3].As<Napi::Number>().Uint32Value();
    const std::uint32_t linkType = info[4].As<Napi::Number>().Uint32Value();
    const std::size_t held = words.ElementLength() / kIndexWords;
    if (from > held || count > held - from) {
      throwError(env, "ERR_FLOW_TABLE_BLOCK",
                 "feed was told to read behind the end of the index");
      return env.Undefined();
    }
    const std::span<const std::uint32_t> index(words.Data(), words.ElementLength());
    const std::size_t taken = feedBlock(
        *table_, {.bytes = std::as_bytes(std::span(block.Data(), block.ByteLength())),
                  .index = index.subspan(from * kIndexWords, count * kIndexWords),
                  .linkType = linkType});
    return toNumber(env, taken);
  }

  /** startFile(): what `feedFile` reads next is the beginning of a capture file. */
  Napi::Value startFile(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    file_ = std::make_unique<CaptureFile>();
    if (!file_->ok()) {
      file_.reset();
      throwError(env, "ERR_FLOW_TABLE_MEMORY", "no memory for reading a capture file");
    }
    return env.Undefined();
  }

  /** feedFile(descriptor, report): see kFedWords. */
  Napi::Value feedFile(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!info[0].IsNumber() || !isArray(info[1], napi_uint32_array) ||
        info[1].As<Napi::Uint32Array>().ElementLength() < kFedWords || !file_) {
      throwError(env, "ERR_FLOW_TABLE_BLOCK",
                 "feedFile wants a descriptor, a Uint32Array and a file started");
      return env.Undefined();
    }
    auto report = info[1].As<Napi::Uint32Array>();
    const Fed fed = file_->feed(info[0].As<Napi::Number>().Int32Value(), *table_);
    report[0] = static_cast<std::uint32_t>(fed.state);
    report[1] = static_cast<std::uint32_t>(fed.stop);
    report[2] = fed.detail;
    report[3] = static_cast<std::uint32_t>(fed.held);
    report[4] = static_cast<std::uint32_t>(file_->indexer().homeless());
    report[5] = file_->sound() ? 1 : 0;
    return env.Undefined();
  }

  /**
   * drain(into): bytes written; 0 when no flow has ended or `into` is too small for the
   * next one.
   */
  Napi::Value drain(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    if (!isArray(info[0], napi_uint8_array)) {
      throwError(env, "ERR_FLOW_TABLE_BLOCK", "drain wants a Uint8Array");
      return env.Undefined();
    }
    auto into = info[0].As<Napi::Uint8Array>();
    const Drained drained =
        table_->drain(std::as_writable_bytes(std::span(into.Data(), into.ByteLength())));
    return toNumber(env, drained.bytes);
  }

  Napi::Value flush(const Napi::CallbackInfo& info) {
    table_->flush();
    return info.Env().Undefined();
  }

  Napi::Value counters(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    return countersOf(env, table_->counters(), table_->gauges());
  }

  Napi::Value memoryBytes(const Napi::CallbackInfo& info) {
    return toNumber(info.Env(), table_->memoryBytes());
  }

  Napi::Value maxRecordBytes(const Napi::CallbackInfo& info) {
    return toNumber(info.Env(), table_->maxRecordBytes());
  }

  /** Numbers that feedFile reports: those of Fed in their order, then homeless, sound. */
  static constexpr std::size_t kFedWords = 6;

  std::unique_ptr<FlowTable> table_;
  std::unique_ptr<CaptureFile> file_;
};

template <std::size_t N>
Napi::Object toObject(Napi::Env env, const std::array<LayoutConstant, N>& constants) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& [name, value] : constants) {
    object.Set(toString(env, name), toNumber(env, value));
  }
  return object;
}

template <std::size_t N>
Napi::Array toArray(Napi::Env env, const std::array<std::string_view, N>& names) {
  Napi::Array array = Napi::Array::New(env, N);
  for (std::uint32_t i = 0; i < N; ++i) array.Set(i, toString(env, names[i]));
  return array;
}

/** The constants of record-layout.ts under their names there. */
Napi::Object layout(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("HEADER_BYTES", toNumber(env, sizeof(RecordHeader)));
  object.Set("PACKET_BYTES", toNumber(env, sizeof(SeriesPacket)));
  object.Set("SEGMENT_HEADER_BYTES", toNumber(env, sizeof(SegmentHeader)));
  object.Set("HEADER", toObject(env, kHeaderLayout));
  object.Set("PACKET", toObject(env, kPacketLayout));
  object.Set("SEGMENT", toObject(env, kSegmentLayout));
  object.Set("PACKET_MARKS", toObject(env, kPacketMarkLayout));
  object.Set("RECORD_FLAGS", toObject(env, kRecordFlagLayout));
  object.Set("SEGMENT_FLAGS", toObject(env, kSegmentFlagLayout));
  object.Set("END_REASONS", toArray(env, kEndReasonNames));
  return object;
}

Napi::Object initialise(Napi::Env env, Napi::Object exports) {
  exports.Set("FlowTable", FlowTableObject::define(env));
  exports.Set("Capture", defineCapture(env));
  exports.Set("CaptureIndexer", defineIndexer(env));
  exports.Set("feedStates", toArray(env, kFeedStateNames));
  exports.Set("indexStops", toArray(env, kIndexStopNames));
  exports.Set("layoutVersion", toNumber(env, kRecordLayoutVersion));
  exports.Set("layout", layout(env));
  exports.Set("dropReasons", toArray(env, kDropReasonNames));
  exportInterface(env, exports);
  exports.Set("tunnels", toArray(env, kTunnelNames));
  return exports;
}

}  // namespace
}  // namespace sluice

static Napi::Object initialiseAddon(Napi::Env env, Napi::Object exports) {
  return sluice::initialise(env, exports);
}

NODE_API_MODULE(sluice_native, initialiseAddon)
