/*
 * Files of procfs and sysfs, read and written with the rights of the process, and file systems that
 * are mounted for a test. What files hold is told in hex.
 */
#define _GNU_SOURCE
#include "protocol.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 4096 };

static void put_hex(const unsigned char* bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < length; i++) {
    putchar_unlocked(digits[bytes[i] >> 4]);
    putchar_unlocked(digits[bytes[i] & 15]);
  }
}

/* read_file PATH. A read that fails in the middle ends the text. */
static void read_file_command(const struct request* request) {
  unsigned char chunk[CHUNK_BYTES];
  int file = open(text_at(request, 0), O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, chunk, sizeof(chunk));
  if (length < 0) {
    int error = errno;
    if (file >= 0) close(file);
    errno = error;
    reply_result(-1);
    return;
  }
  printf("ok ");
  for (; length > 0; length = read(file, chunk, sizeof(chunk))) put_hex(chunk, (size_t)length);
  end_reply();
  close(file);
}

/* Whether the area that the line begins lies between the two addresses; else as before. */
static int is_line_between(const char* line, const struct request* request, int is_between) {
  uint64_t start = number_at(request, 1);
  uint64_t end = number_at(request, 2);
  char* rest;
  uint64_t from = strtoull(line, &rest, 16);
  /* A line of numa_maps does not tell where its area ends. */
  uint64_t to = *rest == '-' ? strtoull(rest + 1, &rest, 16) : from + 1;
  return rest == line || *rest != ' ' ? is_between : from < end && to > start;
}

/* read_areas PATH START END: of smaps, maps or numa_maps the lines of the areas between the two. */
static void read_areas_command(const struct request* request) {
  FILE* file = fopen(text_at(request, 0), "re");
  if (file == NULL) {
    reply_result(-1);
    return;
  }
  char* line = NULL;
  size_t capacity = 0;
  int is_between = 0;
  printf("ok ");
  for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
    is_between = is_line_between(line, request, is_between);
    if (is_between) put_hex((unsigned char*)line, (size_t)length);
  }
  end_reply();
  free(line);
  fclose(file);
}

/* read_folder PATH: the names, one a value. */
static void read_folder_command(const struct request* request) {
  DIR* folder = opendir(text_at(request, 0));
  if (folder == NULL) {
    reply_result(-1);
    return;
  }
  printf("ok");
  for (struct dirent* entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      printf(" %s", entry->d_name);
    }
  }
  end_reply();
  closedir(folder);
}

/* read_pagemap PID ADDRESS PAGE_COUNT: entries that the kernel does not have are 0. */
static void read_pagemap_command(const struct request* request) {
  char path[64];
  uint64_t count = number_at(request, 2);
  uint64_t page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);
  snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)number_at(request, 0));
  uint64_t* entries = calloc(count, sizeof(*entries));
  int file = open(path, O_RDONLY | O_CLOEXEC);
  off_t offset = (off_t)(number_at(request, 1) / page_bytes * sizeof(*entries));
  ssize_t length = file < 0 ? -1 : pread(file, entries, count * sizeof(*entries), offset);
  int error = errno;
  if (file >= 0) close(file);
  errno = error;
  begin_reply(length);
  for (uint64_t i = 0; length >= 0 && i < count; i++) printf(" %#lx", (unsigned long)entries[i]);
  end_reply();
  free(entries);
}

/* Half as many bytes as digits; their number. */
static size_t read_hex(const char* digits, unsigned char* bytes) {
  size_t length = strlen(digits) / 2;
  for (size_t i = 0; i < length; i++) {
    char pair[] = {digits[2 * i], digits[2 * i + 1], '\0'};
    bytes[i] = (unsigned char)strtoul(pair, NULL, 16);
  }
  return length;
}

/* write_file PATH HEX, in one write(2): the kernel's files want it so. */
static void write_file_command(const struct request* request) {
  const char* digits = text_at(request, 1);
  int file = open(text_at(request, 0), O_WRONLY | O_CLOEXEC);
  if (file < 0) {
    reply_result(-1);
    return;
  }
  unsigned char* bytes = malloc(strlen(digits) / 2 + 1);
  ssize_t written = write(file, bytes, read_hex(digits, bytes));
  int error = errno;
  free(bytes);
  close(file);
  errno = error;
  reply_result(written < 0 ? -1 : 0);
}

int run_file_command(const struct request* request) {
  const char* name = request->name;
  if (strcmp(name, "read_file") == 0) {
    read_file_command(request);
  } else if (strcmp(name, "read_areas") == 0) {
    read_areas_command(request);
  } else if (strcmp(name, "read_folder") == 0) {
    read_folder_command(request);
  } else if (strcmp(name, "read_pagemap") == 0) {
    read_pagemap_command(request);
  } else if (strcmp(name, "write_file") == 0) {
    write_file_command(request);
  } else if (strcmp(name, "make_folder") == 0) {
    reply_result(mkdir(text_at(request, 0), 0755));
  } else if (strcmp(name, "remove_folder") == 0) {
    reply_result(rmdir(text_at(request, 0)));
  } else if (strcmp(name, "mount") == 0) {
    /* mount TYPE FOLDER OPTIONS; more of them than one go by commas. */
    const char* type = text_at(request, 0);
    const char* options = request->count > 2 ? text_at(request, 2) : NULL;
    reply_result(mount(type, text_at(request, 1), type, 0, options));
  } else if (strcmp(name, "unmount") == 0) {
    reply_result(umount(text_at(request, 0)));
  } else {
    return 0;
  }
  return 1;
}
