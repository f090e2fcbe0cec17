// The JavaScript object that owns a share of a mapping: what `mmap` and `attach` return. It looks
// like the backend's `Mapping` (handle, address, lengthBytes) and gives its share up in `munmap`,
// or when it is garbage collected, whichever comes first.
#ifndef NODE_NUMA_SUPPORT_MAPPING_OWNER_H_
#define NODE_NUMA_SUPPORT_MAPPING_OWNER_H_

#include <node_api.h>

#include "arguments.h"
#include "mapping.h"
#include "syscall_result.h"

namespace node_numa {

/**
 * Makes the object. V8 is told of `charged_bytes`: the
 * length for the first owner and 0 for others, because each report of memory brings the next
 * garbage collection closer, and the memory is there once.
 */
napi_value NewMappingOwner(napi_env env, OwnerShare share, int64_t charged_bytes,
                           const char* syscall);

/** The next argument's share: null without a refusal if the owner gave it up. */
MappingShare OwnedMapping(Arguments* arguments, napi_env env, const char* name);

/** The ArrayBuffer over the whole mapping, made at the first call. */
napi_value OwnerArrayBuffer(napi_env env, napi_value owner, const char* syscall);

/** Another ArrayBuffer over some of its bytes at each call. */
napi_value OwnerArrayBufferPart(napi_env env, napi_value owner, uint64_t offset_bytes,
                                uint64_t length_bytes, const char* syscall);

/**
 * Detaches the ArrayBuffers, and makes another owner of memory that `move` has put elsewhere; the
 * one that was given has no share any more then.
 */
napi_value ResizeMapping(napi_env env, napi_value owner, size_t length_bytes,
                         const MoveMemory& move);

/** Detaches the ArrayBuffers and gives the share up. Does nothing the second time. */
void GiveUpMapping(napi_env env, napi_value owner);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_MAPPING_OWNER_H_
