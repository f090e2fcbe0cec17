// The ArrayBuffers of one thread over mappings, and what each of them still needs.
//
// A view needs the memory while scripts can reach it. That ends when we detach it, or with the
// engine's backing store; a script that detaches it (ArrayBuffer.prototype.transfer, a stream that
// reads into it) has taken the store along, and with it the memory. A view needs the addresses
// until its object was collected, whatever became of the memory (address_range.h).
#ifndef NODE_NUMA_SUPPORT_VIEW_H_
#define NODE_NUMA_SUPPORT_VIEW_H_

#include <node_api.h>

#include "mapping.h"
#include "syscall_result.h"
#include "transfer.h"

namespace node_numa {

struct View;

/** Prepares a thread for views; false where the engine refuses. */
bool PrepareViews(napi_env env);

/** Makes an ArrayBuffer over bytes of a mapping. The caller has the view until `ForgetView`. */
SyscallResult NewView(napi_env env, const MappingShare& mapping, const Store& store,
                      const char* syscall, View** view, napi_value* array_buffer);

/** The ArrayBuffer; null once it was collected. */
napi_value ArrayBufferOf(napi_env env, const View& view);

/** Detaches the ArrayBuffer unless a script has: it no longer needs the memory. */
void DetachView(napi_env env, View* view);

void ForgetView(View* view);

/** Whether it has a share of the memory that `DetachView` would drop. */
bool HasMemory(napi_env env, const View& view);

/**
 * Collects garbage, and gives back the addresses of views of this thread that no object has any
 * more; false where there are none to be had. For an address space that is full: finalizers, which
 * do the same, wait for a turn of the event loop.
 */
bool ReclaimAddresses(napi_env env);

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_VIEW_H_
