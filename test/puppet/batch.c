/*
 * Input: for each program lines `NUMBER COMMAND...`, in the order in which they are to run, and an
 * empty line. NUMBER is the process: 0 starts the program, others come to be by `fork NUMBER`.
 * Output: a line for each program, its replies one behind the other; see print_reply.
 *
 * Every process of a program has the whole of it. Who runs a line hands over to who runs the next,
 * through a word in shared memory; a process that goes on by itself costs no switch.
 *
 * Lines of BATCH_KEEPER are run by a process that is no part of any program: it is root and in no
 * group, and puts others into groups.
 */
#define _GNU_SOURCE
#include "batch.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  LINES_MAX = 4096,
  PROGRAM_BYTES = 1 << 20,
  REPLIES_BYTES = 1 << 20,
  ORDER_BYTES = 256,
  NOBODY = -1,
  TURN_SECONDS_MAX = 120,
  PROGRAMS_PER_WORD = 100
};

/* What the processes of a program share. */
static struct stage {
  int turns[BATCH_PROCESSES_MAX];  /* 1: runs now */
  pid_t pids[BATCH_PROCESSES_MAX]; /* kept when the process is gone */
  int is_alive[BATCH_PROCESSES_MAX];
  int parents[BATCH_PROCESSES_MAX];
  int line;    /* the next to be run */
  int leaving; /* a process that its parent, whose turn it is, has to wait for */
  int orderer; /* who waits for the keeper */
  char order[ORDER_BYTES];
  size_t length;
  char replies[REPLIES_BYTES];
}* stage;

static struct {
  int process;
  char* text;
} lines[LINES_MAX];
static int line_count;
static int own_number;
static pid_t keeper;

pid_t real_pid(uint64_t number) {
  int is_own = stage != NULL && number >= BATCH_PID_FIRST &&
               number < (uint64_t)BATCH_PID_FIRST + BATCH_PROCESSES_MAX;
  return is_own ? stage->pids[number - BATCH_PID_FIRST] : (pid_t)number;
}

int batch_process(void) {
  return own_number;
}

static ssize_t keep_reply(void* cookie, const char* text, size_t length) {
  (void)cookie;
  if (stage->length + length > REPLIES_BYTES) abort();
  memcpy(stage->replies + stage->length, text, length);
  stage->length += length;
  return (ssize_t)length;
}

static void give_turn(int number) {
  __atomic_store_n(&stage->turns[number], 1, __ATOMIC_RELEASE);
  syscall(SYS_futex, &stage->turns[number], FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* A program whose turn is lost ends: the batch reports a line that is too short. */
static void wait_for_turn(void) {
  struct timespec patience = {.tv_sec = TURN_SECONDS_MAX};
  while (__atomic_exchange_n(&stage->turns[own_number], 0, __ATOMIC_ACQUIRE) == 0) {
    long result = syscall(SYS_futex, &stage->turns[own_number], FUTEX_WAIT, 0, &patience, NULL, 0);
    if (result != 0 && errno == ETIMEDOUT) _exit(1);
  }
  if (stage->leaving == NOBODY) return;
  waitpid(stage->pids[stage->leaving], NULL, 0);
  stage->is_alive[stage->leaving] = 0;
  stage->leaving = NOBODY;
}

static int is_alive(int number) {
  return number >= 0 && number < BATCH_PROCESSES_MAX && stage->is_alive[number];
}

/* Has the keeper run a line, which is its own to change. */
static void order(const char* text) {
  snprintf(stage->order, ORDER_BYTES, "%s", text);
  stage->orderer = own_number;
  give_turn(BATCH_KEEPER);
  wait_for_turn();
}

/* The keeper's life; ends with the batch. */
static void keep(void) {
  own_number = BATCH_KEEPER;
  for (;;) {
    while (__atomic_exchange_n(&stage->turns[BATCH_KEEPER], 0, __ATOMIC_ACQUIRE) == 0) {
      syscall(SYS_futex, &stage->turns[BATCH_KEEPER], FUTEX_WAIT, 0, NULL, NULL, 0);
    }
    run_line(stage->order);
    give_turn(stage->orderer);
  }
}

/* Runs lines from the current one on; does not return. */
static void play(void) {
  for (;;) {
    if (stage->line == line_count) _exit(0);
    int number = lines[stage->line].process;
    if (number != own_number && is_alive(number)) {
      give_turn(number);
      wait_for_turn();
      continue;
    }
    char* text = lines[stage->line++].text;
    if (number == own_number) {
      run_line(text);
    } else if (number == BATCH_KEEPER) {
      order(text);
    } else {
      errno = ESRCH;
      reply_result(-1);
    }
  }
}

/* fork NUMBER: the new process has this number in the program. */
static void fork_command(int number) {
  if (number < 0 || number >= BATCH_HOST || is_alive(number)) {
    errno = EINVAL;
    reply_result(-1);
    return;
  }
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    own_number = number;
    wait_for_turn();
    play();
  }
  if (pid > 0) {
    stage->pids[number] = pid;
    stage->is_alive[number] = 1;
    stage->parents[number] = own_number;
    printf("ok %d %d", number, BATCH_PID_FIRST + number);
    end_reply();
  } else {
    reply_result(-1);
  }
}

/* exit: when the next line runs, the process is gone and waited for. */
static void exit_command(void) {
  reply_result(0);
  if (own_number == 0) _exit(0);
  stage->leaving = own_number;
  give_turn(stage->parents[own_number]);
  _exit(0);
}

int run_batch_command(const struct request* request) {
  if (stage == NULL) return 0;
  if (strcmp(request->name, "fork") == 0) {
    fork_command((int)number_at(request, 0));
  } else if (strcmp(request->name, "exit") == 0) {
    exit_command();
  } else {
    return 0;
  }
  return 1;
}

/* The reply without its `ok`, `!` for `err`. */
static void print_reply(FILE* output, const char* reply) {
  if (strncmp(reply, "err ", 4) == 0) {
    putc('!', output);
    reply += 4;
  } else {
    reply += reply[2] == ' ' ? 3 : 2;
  }
  fputs(reply, output);
}

static void print_replies(FILE* output) {
  stage->replies[stage->length < REPLIES_BYTES ? stage->length : REPLIES_BYTES - 1] = '\0';
  char* rest = stage->replies;
  for (int count = 0; *rest != '\0'; count++) {
    if (count > 0) putc(';', output);
    print_reply(output, strsep(&rest, "\n"));
  }
  putc('\n', output);
}

static void start_keeper(void) {
  if (keeper != 0) return;
  keeper = fork();
  if (keeper != 0) return;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  keep();
}

static void run_program(FILE* output) {
  memset(stage->turns, 0, sizeof(stage->turns));
  memset(stage->is_alive, 0, sizeof(stage->is_alive));
  stage->line = 0;
  stage->leaving = NOBODY;
  stage->length = 0;
  own_number = BATCH_HOST;
  pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    own_number = 0;
    stage->pids[0] = getpid();
    stage->is_alive[0] = 1;
    play();
  }
  waitpid(pid, NULL, 0);
  print_replies(output);
  if (keeper == 0) return;
  stage->length = 0;
  order("remove_groups");
  if (strncmp(stage->replies, "ok", 2) != 0) abort();
}

/* Reads the lines of the next program into `lines`; returns 0 at the end of the input. */
static int read_program(void) {
  static char text[PROGRAM_BYTES];
  char* line = text;
  line_count = 0;
  while (fgets(line, (int)(text + PROGRAM_BYTES - line), stdin) != NULL && *line != '\n') {
    size_t length = strlen(line);
    if (line_count == LINES_MAX || line[length - 1] != '\n') abort();
    line[length - 1] = '\0';
    char* command = NULL;
    lines[line_count].process = (int)strtol(line, &command, 10);
    if (lines[line_count].process == BATCH_KEEPER) start_keeper();
    lines[line_count++].text = command + 1;
    line += length;
  }
  return line_count > 0;
}

static uint64_t milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* `batch RELEASE`, the lines of the programs, `end MILLISECONDS`. On stderr, how far it is. */
int run_batch(void) {
  stage = mmap(NULL, sizeof(*stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (stage == MAP_FAILED) return 1;
  FILE* output = stdout;
  stdout = fopencookie(NULL, "w", (cookie_io_functions_t){.write = keep_reply});
  if (stdout == NULL) return 1;
  struct utsname system;
  uname(&system);
  pid_t occupier = occupy_khugepaged();
  uint64_t start_ms = milliseconds();
  fprintf(output, "batch %s\n", system.release);
  for (int count = 1; read_program(); count++) {
    run_program(output);
    if (count % PROGRAMS_PER_WORD == 0) fprintf(stderr, "done %d\n", count);
  }
  fprintf(output, "end %lu\n", milliseconds() - start_ms);
  kill(occupier, SIGKILL);
  waitpid(occupier, NULL, 0);
  if (keeper != 0) {
    order("leave_groups");
    kill(keeper, SIGKILL);
    waitpid(keeper, NULL, 0);
  }
  return fflush(output) == 0 ? 0 : 1;
}
