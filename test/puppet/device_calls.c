/* Devices and rings that hold on to pages: registered io_uring buffers, packet rings. */
#define _GNU_SOURCE
#include "protocol.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* register_buffer ADDRESS LENGTH [RING]: a long-term pin; answers the ring that holds it, the one
 * asked for if there is one. */
static void register_command(const struct request* request) {
  struct iovec buffer = {.iov_base = (void*)(uintptr_t)number_at(request, 0),
                         .iov_len = number_at(request, 1)};
  struct io_uring_params parameters = {0};
  int ring = (int)syscall(SYS_io_uring_setup, 1, &parameters);
  if (ring < 0) {
    reply_result(-1);
    return;
  }
  if (syscall(SYS_io_uring_register, ring, IORING_REGISTER_BUFFERS, &buffer, 1) != 0) {
    int error = errno;
    close(ring);
    errno = error;
    reply_result(-1);
    return;
  }
  if (request->count <= 2) {
    reply_result(ring);
    return;
  }
  reply_result(dup2(ring, (int)number_at(request, 2)));
  close(ring);
}

/* packet_ring BLOCK_LENGTH BLOCK_COUNT: answers where the ring of received packets is mapped. */
static void packet_ring_command(const struct request* request) {
  unsigned block_bytes = (unsigned)number_at(request, 0);
  unsigned block_count = (unsigned)number_at(request, 1);
  enum { FRAME_BYTES = 2048 };
  struct tpacket_req ring = {.tp_block_size = block_bytes,
                             .tp_block_nr = block_count,
                             .tp_frame_size = FRAME_BYTES,
                             .tp_frame_nr = block_bytes / FRAME_BYTES * block_count};
  int descriptor = socket(AF_PACKET, SOCK_RAW, 0);
  void* result = MAP_FAILED;
  if (descriptor >= 0 &&
      setsockopt(descriptor, SOL_PACKET, PACKET_RX_RING, &ring, sizeof(ring)) == 0) {
    result = mmap(NULL, (size_t)block_bytes * block_count, PROT_READ | PROT_WRITE, MAP_SHARED,
                  descriptor, 0);
  }
  if (result == MAP_FAILED) {
    reply_result(-1);
    return;
  }
  printf("ok %p", result);
  end_reply();
}

int run_device_command(const struct request* request) {
  const char* name = request->name;
  if (strcmp(name, "register_buffer") == 0) {
    register_command(request);
  } else if (strcmp(name, "unregister_buffer") == 0) {
    reply_result(syscall(SYS_io_uring_register, (int)number_at(request, 0),
                         IORING_UNREGISTER_BUFFERS, NULL, 0));
  } else if (strcmp(name, "packet_ring") == 0) {
    packet_ring_command(request);
  } else {
    return 0;
  }
  return 1;
}
