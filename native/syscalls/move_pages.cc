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

// Consecutive pages.
void FillAddresses(const MovePagesArguments& arguments, void** addresses) {
  const uint64_t page_size_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  for (uint64_t index = 0; index < arguments.count; ++index) {
    addresses[index] = reinterpret_cast<void*>(arguments.address + index * page_size_bytes);
  }
}

class MovePagesOperation {
 public:
  // Copies what belongs to JavaScript, on its thread.
  MovePagesOperation(napi_env env, MovePagesArguments&& decoded)
      : arguments_(std::move(decoded)), arrays_(arguments_.count) {
    Copy(env);
  }

  void Run() {
    if (!result_.Ok()) return;
    if (arguments_.addresses.data == nullptr) FillAddresses(arguments_, arrays_.addresses());
    if (arguments_.targets == Targets::kOne) {
      std::fill_n(arrays_.nodes(), arguments_.count, arguments_.node);
    }
    result_ = CallMovePages(arguments_, &arrays_);
  }

  void Fail(int error) { result_ = SyscallResult::Failed(error, "move_pages"); }

  napi_value Settle(napi_env env) {
    if (status_reference_ != nullptr) StoreStatus(env);
    return ToJsNumber(env, result_);
  }

 private:
  void Copy(napi_env env) {
    if (!arrays_.Allocated()) Fail(ENOMEM);
    if (arguments_.has_mapping && arguments_.mapping == nullptr) Fail(ENOENT);
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
    if (napi_create_reference(env, arguments_.status_array, 1, &status_reference_) != napi_ok) {
      status_reference_ = nullptr;
      Fail(ENOMEM);
    }
  }

  // The array may have been detached or made shorter while the call ran.
  void StoreStatus(napi_env env) {
    napi_value array = nullptr;
    void* data = nullptr;
    size_t length = 0;
    if (napi_get_reference_value(env, status_reference_, &array) == napi_ok &&
        ReadTypedArray(env, array, napi_int32_array, &data, &length)) {
      std::copy_n(arrays_.status(), std::min<size_t>(length, arguments_.count),
                  static_cast<int32_t*>(data));
    }
    Unneeded(napi_delete_reference(env, status_reference_));
  }

  MovePagesArguments arguments_;
  PageArrays arrays_;
  napi_ref status_reference_ = nullptr;
  SyscallResult result_;
};

void DecodePages(Arguments* arguments, MovePagesArguments* decoded) {
  if (arguments->NextIsTypedArray()) {
    decoded->addresses = arguments->BigUint64s("pages");
    if (decoded->addresses.length < decoded->count) {
      arguments->RefuseRange("pages", "an array of at least count elements");
    }
  } else {
    decoded->address = arguments->Address("pages");
  }
}

void DecodeNodes(Arguments* arguments, MovePagesArguments* decoded) {
  decoded->targets = arguments->NextIs(napi_null)    ? Targets::kNone
                     : arguments->NextIsTypedArray() ? Targets::kEach
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
MovePagesArguments Decode(Arguments* arguments, napi_env env) {
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
  decoded.has_mapping = !arguments->NextIs(napi_null) && !arguments->NextIs(napi_undefined);
  if (decoded.has_mapping) decoded.mapping = OwnedMapping(arguments, env, "mapping");
  return decoded;
}

}  // namespace

/** move_pages(pid, count, pages, nodes, status, flags, mapping?): SyscallResult<number> */
napi_value MovePages(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MovePagesArguments decoded = Decode(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  MovePagesOperation operation(info.Env(), std::move(decoded));
  operation.Run();
  return operation.Settle(info.Env());
}

/** move_pages_async, with the same arguments: Promise<SyscallResult<number>> */
napi_value MovePagesAsync(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  MovePagesArguments decoded = Decode(&arguments, info.Env());
  if (!arguments.Valid()) return {};
  return PoolWork<MovePagesOperation>::Queue(info.Env(), "node_numa:move_pages",
                                             MovePagesOperation(info.Env(), std::move(decoded)));
}

}  // namespace node_numa
