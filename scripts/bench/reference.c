/*
 * The reference that the benchmark compares with: the same moves and look-ups as bare system calls
 * on a mapping of this process. The arrays that a call takes are made before the clock starts, so a
 * time is the kernel's own.
 *
 * Reads one command from each line of stdin, answers `ok NANOSECONDS...` or `err MESSAGE`:
 *   map PAGES NODE        maps and fills PAGES pages on NODE, instead of the mapping before
 *   move NODE PAGES CHUNK the first PAGES pages by move_pages, CHUNK pages in each call
 *   mbind NODE            the whole mapping by one mbind with MPOL_MF_MOVE
 *   receipt NODE          locates all pages, moves them, locates them again: three times
 *   locate PAGES CHUNK    asks where the first PAGES pages are
 *   unmap
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NODES_MAX = 64, STATUS_UNSET = -4096 };

static struct {
  char* start;
  long page_count;
  size_t page_size_bytes;
  void** addresses;
  int* nodes;
  int* status;
} memory;

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void end_with(const char* what) {
  printf("err %s: %s\n", what, errno == 0 ? "pages are elsewhere" : strerror(errno));
  exit(1);
}

static void* checked(void* pointer) {
  if (pointer == NULL || pointer == MAP_FAILED) end_with("memory");
  return pointer;
}

static void unmap(void) {
  if (memory.start != NULL)
    munmap(memory.start, (size_t)memory.page_count * memory.page_size_bytes);
  free(memory.addresses);
  free(memory.nodes);
  free(memory.status);
  memset(&memory, 0, sizeof memory);
}

/* Moved memory must not be taken for the pages where it is filled: the policy is set aside again.
 */
static void map(long page_count, int node) {
  unmap();
  memory.page_count = page_count;
  memory.page_size_bytes = (size_t)sysconf(_SC_PAGESIZE);
  const size_t length = (size_t)page_count * memory.page_size_bytes;
  memory.start = checked(mmap(NULL, length, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
  memory.addresses = checked(calloc((size_t)page_count, sizeof *memory.addresses));
  memory.nodes = checked(calloc((size_t)page_count, sizeof *memory.nodes));
  memory.status = checked(calloc((size_t)page_count, sizeof *memory.status));
  const unsigned long mask = 1UL << node;
  if (syscall(SYS_set_mempolicy, MPOL_BIND, &mask, NODES_MAX + 1) != 0) end_with("set_mempolicy");
  memset(memory.start, 0x5a, length);
  if (syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0) != 0) end_with("set_mempolicy");
  for (long i = 0; i < page_count; i++) {
    memory.addresses[i] = memory.start + (size_t)i * memory.page_size_bytes;
  }
}

/* All calls of one pass over the first pages; `nodes` NULL asks where they are. */
static long long pass_ns(long page_count, long chunk, const int* nodes) {
  for (long i = 0; i < page_count; i++) memory.status[i] = STATUS_UNSET;
  errno = 0;
  const long long start = now_ns();
  for (long first = 0; first < page_count; first += chunk) {
    const long count = page_count - first < chunk ? page_count - first : chunk;
    const long left = syscall(SYS_move_pages, 0, count, memory.addresses + first, nodes,
                              memory.status + first, nodes == NULL ? 0 : MPOL_MF_MOVE);
    if (left != 0) end_with("move_pages");
  }
  return now_ns() - start;
}

static void check_placement(long page_count, int node) {
  for (long i = 0; i < page_count; i++) {
    if (memory.status[i] != node) end_with("placement");
  }
}

static long long move_ns(int node, long page_count, long chunk) {
  for (long i = 0; i < page_count; i++) memory.nodes[i] = node;
  const long long elapsed = pass_ns(page_count, chunk, memory.nodes);
  check_placement(page_count, node);
  return elapsed;
}

static long long mbind_ns(int node) {
  const unsigned long mask = 1UL << node;
  const size_t length = (size_t)memory.page_count * memory.page_size_bytes;
  const long long start = now_ns();
  const long failed =
      syscall(SYS_mbind, memory.start, length, MPOL_BIND, &mask, NODES_MAX + 1, MPOL_MF_MOVE);
  const long long elapsed = now_ns() - start;
  if (failed != 0) end_with("mbind");
  if (syscall(SYS_mbind, memory.start, length, MPOL_DEFAULT, NULL, 0, 0) != 0) end_with("mbind");
  pass_ns(memory.page_count, memory.page_count, NULL);
  check_placement(memory.page_count, node);
  return elapsed;
}

static void run(const char* line) {
  char name[16] = "";
  long a = 0, b = 0, c = 0;
  sscanf(line, "%15s %ld %ld %ld", name, &a, &b, &c);
  const long all = memory.page_count;
  if (strcmp(name, "map") == 0) {
    map(a, (int)b);
    printf("ok\n");
  } else if (strcmp(name, "unmap") == 0) {
    unmap();
    printf("ok\n");
  } else if (strcmp(name, "move") == 0) {
    printf("ok %lld\n", move_ns((int)a, b, c));
  } else if (strcmp(name, "mbind") == 0) {
    printf("ok %lld\n", mbind_ns((int)a));
  } else if (strcmp(name, "receipt") == 0) {
    const long long before = pass_ns(all, all, NULL);
    const long long move = move_ns((int)a, all, all);
    printf("ok %lld %lld %lld\n", before, move, pass_ns(all, all, NULL));
  } else if (strcmp(name, "locate") == 0) {
    printf("ok %lld\n", pass_ns(a, b, NULL));
  } else {
    printf("err no such command: %s\n", name);
  }
}

int main(void) {
  char line[128];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin) != NULL) run(line);
  return 0;
}
