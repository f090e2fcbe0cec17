/*
 * Threads, and programs executed anew. A thread makes the calls that it is handed, one at a time,
 * and writes the replies itself; meanwhile the thread that handed them over waits.
 */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS_MAX = 8 };

static struct thread {
  sem_t wake;
  sem_t done;
  char* line;
} threads[THREADS_MAX];
static int thread_count;

static void* follow_orders(void* argument) {
  struct thread* self = argument;
  for (;;) {
    sem_wait(&self->wake);
    run_line(self->line);
    sem_post(&self->done);
  }
  return NULL;
}

/* thread: answers the thread's ID. */
static void thread_command(void) {
  if (thread_count == THREADS_MAX) {
    errno = EAGAIN;
    reply_result(-1);
    return;
  }
  struct thread* thread = &threads[thread_count];
  sem_init(&thread->wake, 0, 0);
  sem_init(&thread->done, 0, 0);
  pthread_t handle;
  errno = pthread_create(&handle, NULL, follow_orders, thread);
  reply_result(errno == 0 ? thread_count++ : -1);
}

/* on_thread ID LINE */
void relay_to_thread(char* text) {
  char* command = NULL;
  long id = strtol(text, &command, 10);
  if (id < 0 || id >= thread_count) {
    errno = ESRCH;
    reply_result(-1);
    return;
  }
  threads[id].line = command + 1;
  sem_post(&threads[id].wake);
  sem_wait(&threads[id].done);
}

/* exec: the new program answers (main). */
static void exec_command(void) {
  char* arguments[] = {"puppet", "executed", NULL};
  char* environment[] = {NULL};
  execve("/proc/self/exe", arguments, environment);
  reply_result(-1);
}

/* numa_maps (self|thread-self): the lines, with tabs between them. */
static void numa_maps_command(const struct request* request) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%s/numa_maps", text_at(request, 0));
  FILE* file = fopen(path, "r");
  if (file == NULL) {
    reply_result(-1);
    return;
  }
  printf("ok ");
  char* line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, file) > 0) {
    line[strcspn(line, "\n")] = '\t';
    fputs(line, stdout);
  }
  end_reply();
  free(line);
  fclose(file);
}

int run_thread_command(const struct request* request) {
  const char* name = request->name;
  if (strcmp(name, "thread") == 0) {
    thread_command();
  } else if (strcmp(name, "exec") == 0) {
    exec_command();
  } else if (strcmp(name, "numa_maps") == 0) {
    numa_maps_command(request);
  } else {
    return 0;
  }
  return 1;
}
