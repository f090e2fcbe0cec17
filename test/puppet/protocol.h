/*
 * The puppet's line protocol: `name argument...` in, `ok value...` or `err ERRNO value...` out.
 * Numbers are decimal or 0x hex; lists are joined by commas. A guest's port is slow: what is long
 * goes in few words.
 */
#ifndef PUPPET_PROTOCOL_H
#define PUPPET_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { ARGUMENTS_MAX = 10 };

struct request {
  const char* name;
  int count;
  char* arguments[ARGUMENTS_MAX];
};

/* A list read from a request, or a bare pointer that it named: `null`, `@ADDRESS`, `1,2,3`; behind
 * the last item of `end:1,2,3` there is no memory. */
struct vector {
  void* pointer;
  size_t count;
  void* owned;  /* freed by free_vector; NULL where the request named the pointer itself */
  size_t bytes; /* of a mapping of its own, with the page that cannot be accessed; else 0 */
};

uint64_t number_at(const struct request* request, int index);
const char* text_at(const struct request* request, int index);

struct vector words_at(const struct request* request, int index);
struct vector ints_at(const struct request* request, int index);
void free_vector(struct vector* vector);

/* `ok` or `err ERRNO`, without the line end: append values, then end_reply. */
void begin_reply(long result);
void end_reply(void);
/* As printf("%ld"), which takes long where every instruction is emulated. */
void put_number(long value);
/* A list in which `0*3` stands for `0,0,0`. */
void put_runs(const int* values, size_t count);
/* The whole reply of a call that returned `result`: its value, or errno where it is -1. */
void reply_result(long result);

/* Command families; each answers and returns 1, or returns 0 for a name that is not its own. */
int run_numa_command(const struct request* request);
int run_memory_command(const struct request* request);
int run_process_command(const struct request* request);
int run_object_command(const struct request* request);
int run_device_command(const struct request* request);
int run_thread_command(const struct request* request);
int run_state_command(const struct request* request);
int run_group_command(const struct request* request);
int run_file_command(const struct request* request);
int run_watch_command(const struct request* request);

/* A file of the kinds `secret` and `disk`: -1 where it cannot be had, -2 for any other kind. */
int state_file(const char* kind);

/* Runs one command; changes the line. */
void run_line(char* line);

#endif
