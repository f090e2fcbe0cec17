/*
 * The bare system calls that the benchmark compares with. What a call takes is made before the
 * clock starts, so a time is the kernel's own.
 *
 * Each function returns nanoseconds, a negative errno, or PAGES_ELSEWHERE.
 */
#ifndef BENCH_REFERENCE_H
#define BENCH_REFERENCE_H

enum { PAGES_ELSEWHERE = -4096 };

/* Consecutive pages from `start` on. */
struct pages {
  char* start;
  long count;
};

/* Moves the pages to a node by move_pages, `chunk` pages in each call. */
long long move_ns(struct pages pages, long chunk, int node);

/* Asks where the pages are by move_pages without target nodes. */
long long locate_ns(struct pages pages, long chunk);

/* Moves the pages by one mbind with MPOL_MF_MOVE, and takes the policy away again. */
long long mbind_ns(struct pages pages, int node);

#endif
