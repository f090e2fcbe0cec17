// A part of a mapping as calls take it that work on whole pages of memory which stays mapped.
#ifndef NODE_NUMA_SUPPORT_MAPPED_PART_H_
#define NODE_NUMA_SUPPORT_MAPPED_PART_H_

#include <node_api.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "arguments.h"
#include "mapping_owner.h"

namespace node_numa {

struct MappedPart {
  MappingShare mapping;
  uint64_t offset_bytes = 0;
  uint64_t length_bytes = 0;

  /** 0, or why it is none: ENOENT for memory that was given up, ERANGE outside of it. */
  int Error() const {
    if (mapping == nullptr) return ENOENT;
    return mapping->Covers(offset_bytes, length_bytes) ? 0 : ERANGE;
  }

  /** From the start of the first page; only without an error. */
  uintptr_t Begin() const {
    const uint64_t page_bytes = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
    return reinterpret_cast<uintptr_t>(mapping->address) + offset_bytes / page_bytes * page_bytes;
  }
  uintptr_t End() const {
    return reinterpret_cast<uintptr_t>(mapping->address) + offset_bytes + length_bytes;
  }
};

/** The next three arguments. */
inline MappedPart DecodePart(Arguments* arguments, napi_env env) {
  MappedPart part;
  part.mapping = OwnedMapping(arguments, env, "mapping");
  part.offset_bytes = arguments->Size("offsetBytes");
  part.length_bytes = arguments->Size("lengthBytes");
  return part;
}

}  // namespace node_numa

#endif  // NODE_NUMA_SUPPORT_MAPPED_PART_H_
