/* The passes over pages that both forms of the reference run: addon.c and program.c. */
#define _GNU_SOURCE
#include "reference.h"

#include <errno.h>
#include <linux/mempolicy.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { MAXNODE = 64 + 1, STATUS_UNSET = -4096 };

/* The arrays of move_pages. */
struct arrays {
  void** addresses;
  int* nodes;
  int* status;
};

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void free_arrays(struct arrays* arrays) {
  free(arrays->addresses);
  free(arrays->nodes);
  free(arrays->status);
}

/* Writes every entry, so that no page of the arrays is faulted in while the clock runs. */
static int make_arrays(struct arrays* arrays, struct pages pages, int node) {
  const size_t count = (size_t)pages.count;
  const size_t page_size_bytes = (size_t)sysconf(_SC_PAGESIZE);
  arrays->addresses = malloc(count * sizeof *arrays->addresses);
  arrays->nodes = malloc(count * sizeof *arrays->nodes);
  arrays->status = malloc(count * sizeof *arrays->status);
  if (arrays->addresses == NULL || arrays->nodes == NULL || arrays->status == NULL) return 0;
  for (size_t i = 0; i < count; i++) {
    arrays->addresses[i] = pages.start + i * page_size_bytes;
    arrays->nodes[i] = node;
    arrays->status[i] = STATUS_UNSET;
  }
  return 1;
}

static long long calls_ns(const struct arrays* arrays, long page_count, long chunk, int is_move) {
  const long long start = now_ns();
  for (long first = 0; first < page_count; first += chunk) {
    const long count = page_count - first < chunk ? page_count - first : chunk;
    const int* const nodes = is_move ? arrays->nodes + first : NULL;
    const long left = syscall(SYS_move_pages, 0, count, arrays->addresses + first, nodes,
                              arrays->status + first, is_move ? MPOL_MF_MOVE : 0);
    if (left < 0) return -errno;
    if (left > 0) return PAGES_ELSEWHERE;
  }
  return now_ns() - start;
}

/* One pass; `node` is the target of a move, or what every page must be on, or negative. */
static long long pass_ns(struct pages pages, long chunk, int node, int is_move) {
  struct arrays arrays;
  long long result = -ENOMEM;
  if (make_arrays(&arrays, pages, node)) {
    result = calls_ns(&arrays, pages.count, chunk, is_move);
    for (long i = 0; i < pages.count && result >= 0 && node >= 0; i++) {
      if (arrays.status[i] != node) result = PAGES_ELSEWHERE;
    }
  }
  free_arrays(&arrays);
  return result;
}

long long move_ns(struct pages pages, long chunk, int node) {
  return pass_ns(pages, chunk, node, 1);
}

long long locate_ns(struct pages pages, long chunk) {
  return pass_ns(pages, chunk, -1, 0);
}

long long mbind_ns(struct pages pages, int node) {
  const unsigned long mask = 1UL << node;
  const unsigned long length = (unsigned long)pages.count * (unsigned long)sysconf(_SC_PAGESIZE);
  const long long start = now_ns();
  const long moved =
      syscall(SYS_mbind, pages.start, length, MPOL_BIND, &mask, MAXNODE, MPOL_MF_MOVE);
  const long long elapsed = now_ns() - start;
  if (moved != 0) return -errno;
  if (syscall(SYS_mbind, pages.start, length, MPOL_DEFAULT, NULL, 0, 0) != 0) return -errno;
  const long long check = pass_ns(pages, pages.count, node, 0);
  return check < 0 ? check : elapsed;
}
