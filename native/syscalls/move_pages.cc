// move_pages(2): moves pages to given nodes, or says where they are.
// Thread: the pool (`move_pages_async`) or the caller's (`move_pages`).

#include <numaif.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "../addon.h"
#include "../support/arguments.h"
#include "../support/mapping_owner.h"
#include "../support/page_arrays.h"
#include "../support/syscall_result.h"
#include "../support/worker.h"

namespace node_numa {

namespace {

enum class Targets { kNone, kOne, kEach };

struct MovePagesArguments {
  int pid;
  uint64_t count;
  // Consecutive pages from `address` on, unless `addresses` is given.
  uint64_t address;
  Elements<uint64_t> addresses;
  Targets targets;
  int32_t node;
  Elements<int32_t> nodes;
  Elements<int32_t> status;
  napi_value status_array;
  int flags;
  bool has_mapping;
  MappingShare mapping;
};

SyscallResult CallMovePages(const MovePagesArguments& arguments, PageArrays* arrays) {
  const int* const nodes = arguments.targets == Targets::kNone ? nullptr : arrays->nodes();
  return SyscallResult::Capture(move_pages(arguments.pid, arguments.count, arrays->addresses(),
                                           nodes, arrays->status(), arguments.flags),
                                "move_pages");
}

class MovePagesOperation {
 public:
  // Copies what belongs to JavaScript, on its thread.
  MovePagesOperation(Napi::Env env, MovePagesArguments&& decoded)
      : arguments_(std::move(decoded)), arrays_(arguments_.count) {
    if (!arrays_.Allocated()) result_ = SyscallResult::Failed(ENOMEM, "move_pages");
    if (arguments_.has_mapping && arguments_.mapping == nullptr) {
      result_ = SyscallResult::Failed(ENOENT, "move_pages");
    }
    if (!result_.Ok()) return;
    const size_t count = arguments_.count;
    std::copy_n(arguments_.status.data, count, arrays_.status());
    if (arguments_.addresses.data != nullptr) {
      std::copy_n(arguments_.addresses.data, count,
                  reinterpret_cast<uint64_t*>(arrays_.addresses()));
    }
    if (arguments_.targets == Targets::kEach) {
      std::copy_n(arguments_.nodes.data, count, arrays_.nodes());
    }
    napi_create_reference(env, arguments_.status_array, 1, &status_reference_);
  }

  void Run() {
    if (!result_.Ok()) return;
    if (arguments_.addresses.data == nullptr) FillAddresses();
    if (arguments_.targets == Targets::kOne) {
      std::fill_n(arrays_.nodes(), arguments_.count, arguments_.node);
    }
    result_ = CallMovePages(arguments_, &arrays_);
  }

  napi_value Settle(Napi::Env env) {
    if (status_reference_ != nullptr) StoreStatus(env);
    return ToJsNumber(env, result_);
  }

 private:
  void FillAddresses() {
    const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    void** const addresses = arrays_.addresses();
    for (uint64_t index = 0; index < arguments_.count; ++index) {
      addresses[index] = reinterpret_cast<void*>(arguments_.address + index * page_size_bytes);
    }
  }

  // The array may have been detached or made shorter while the call ran.
  void StoreStatus(Napi::Env env) {
    napi_value array = nullptr;
    void* data = nullptr;
    size_t length = 0;
    if (napi_get_reference_value(env, status_reference_, &array) == napi_ok &&
        ReadTypedArray(env, array, napi_int32_array, &data, &length)) {
      std::copy_n(arrays_.status(), std::min<size_t>(length, arguments_.count),
                  static_cast<int32_t*>(data));
    }
    napi_delete_reference(env, status_reference_);
  }

  MovePagesArguments arguments_;
  PageArrays arrays_;
  napi_ref status_reference_ = nullptr;
  SyscallResult result_;
};

void DecodePages(Arguments* arguments, MovePagesArguments* decoded) {
  if (arguments->Peek().IsTypedArray()) {
    decoded->addresses = arguments->BigUint64s("pages");
    if (decoded->addresses.length < decoded->count) {
      arguments->RefuseRange("pages", "an array of at least count elements");
    }
  } else {
    decoded->address = arguments->Address("pages");
  }
}

void DecodeNodes(Arguments* arguments, MovePagesArguments* decoded) {
  const Napi::Value value = arguments->Peek();
  decoded->targets = value.IsNull()         ? Targets::kNone
                     : value.IsTypedArray() ? Targets::kEach
                                            : Targets::kOne;
  if (decoded->targets == Targets::kOne) {
    decoded->node = arguments->Bits32("nodes");
  } else if (decoded->targets == Targets::kEach) {
    decoded->nodes = arguments->Int32s("nodes");
    if (decoded->nodes.length < decoded->count) {
      arguments->RefuseRange("nodes", "an array of at least count elements");
    }
  } else {
    arguments->Next();
  }
}

// Reading these runs no JavaScript, so every pointer stays good until the operation has copied.
MovePagesArguments Decode(Arguments* arguments, Napi::Env env) {
  MovePagesArguments decoded = {};
  decoded.pid = arguments->Bits32("pid");
  decoded.count = arguments->Size("count");
  DecodePages(arguments, &decoded);
  DecodeNodes(arguments, &decoded);
  decoded.status_array = arguments->Peek();
  decoded.status = arguments->Int32s("status");
  if (decoded.status.length < decoded.count) {
    arguments->RefuseRange("status", "an array of at least count elements");
  }
  decoded.flags = arguments->Bits32("flags");
  decoded.has_mapping = !arguments->Peek().IsNull() && !arguments->Peek().IsUndefined();
  if (decoded.has_mapping) decoded.mapping = OwnedMapping(arguments, env, "mapping");
  return decoded;
}

}  // namespace

/** move_pages(pid, count, pages, nodes, status, flags, mapping?): SyscallResult<number> */
Napi::Value MovePages(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MovePagesArguments decoded = Decode(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  MovePagesOperation operation(info.Env(), std::move(decoded));
  operation.Run();
  return Napi::Value(info.Env(), operation.Settle(info.Env()));
}

/** move_pages_async, with the same arguments: Promise<SyscallResult<number>> */
Napi::Value MovePagesAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MovePagesArguments decoded = Decode(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return PoolWork<MovePagesOperation>::Queue(info.Env(), "node_numa:move_pages",
                                             MovePagesOperation(info.Env(), std::move(decoded)));
}

}  // namespace node_numa
