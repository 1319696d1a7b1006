/*
 * The least that a broadcast over sockets costs on this machine: frames from a file, written to every connection, one write for
 * each, by one thread around epoll. What the stream of a server achieves is told as a ratio to this.
 *
 *   epoll-broadcast FRAMES CONNECTIONS
 *
 * FRAMES holds frames, each behind its length in four bytes, least significant first. Prints the port on which it listens, waits
 * until so many connections are there and for a byte on its standard input, then writes the frames from the first to the last and
 * over again, until its input ends. A connection that does not take a frame whole gets the rest when it can; the others go on.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

struct frame {
  const char *bytes;
  size_t length;
};

struct connection {
  int socket;
  size_t next;   /* the frame that it gets next */
  size_t taken;  /* how much of that it has taken */
  int blocked;   /* it took nothing more: epoll says when it does */
};

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static struct frame *read_frames(const char *path, size_t *count) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END)) fail(path);
  size_t size = (size_t)ftell(file);
  rewind(file);
  unsigned char *bytes = malloc(size + 1);
  struct frame *frames = malloc((size / 4 + 1) * sizeof *frames);
  if (!bytes || !frames || fread(bytes, 1, size, file) != size) fail(path);
  fclose(file);
  *count = 0;
  for (size_t at = 0; at + 4 <= size; ++*count) {
    size_t length = bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 | (size_t)bytes[at + 3] << 24;
    if (length == 0 || at + 4 + length > size) {
      fprintf(stderr, "%s: a frame is cut off\n", path);
      exit(1);
    }
    frames[*count] = (struct frame){(const char *)bytes + at + 4, length};
    at += 4 + length;
  }
  return frames;
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, length) || listen(listener, 4096)) fail("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &length)) fail("getsockname");
  printf("%d\n", ntohs(address.sin_port));
  fflush(stdout);
  return listener;
}

static void accept_all(int listener, int poll, struct connection *connections, size_t count) {
  for (size_t i = 0; i < count; i++) {
    int one = 1;
    int accepted = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (accepted < 0) fail("accept");
    setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[i] = (struct connection){.socket = accepted};
    struct epoll_event event = {.events = EPOLLOUT | EPOLLET, .data.ptr = &connections[i]};
    if (epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event)) fail("epoll_ctl");
  }
}

/* One write: the next frame, or the rest of the one that the connection has in part. */
static void write_next(struct connection *to, const struct frame *frames, size_t count) {
  const struct frame *frame = &frames[to->next];
  ssize_t written = write(to->socket, frame->bytes + to->taken, frame->length - to->taken);
  if (written < 0) {
    if (errno != EAGAIN) fail("write");
    to->blocked = 1;
    return;
  }
  to->taken += (size_t)written;
  if (to->taken < frame->length) return;
  to->taken = 0;
  to->next = (to->next + 1) % count;
}

int main(int argc, char **argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: epoll-broadcast FRAMES CONNECTIONS\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  size_t frame_count, count = (size_t)atol(argv[2]);
  struct frame *frames = read_frames(argv[1], &frame_count);
  struct connection *connections = calloc(count, sizeof *connections);
  struct epoll_event *events = calloc(count + 1, sizeof *events);
  int poll = epoll_create1(0);
  if (!connections || !events || poll < 0 || frame_count == 0 || count == 0) fail("start");
  accept_all(listen_anywhere(), poll, connections, count);
  char byte;
  if (read(STDIN_FILENO, &byte, 1) != 1) return 0;
  struct epoll_event input = {.events = EPOLLIN, .data.ptr = NULL};
  fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
  if (epoll_ctl(poll, EPOLL_CTL_ADD, STDIN_FILENO, &input)) fail("epoll_ctl");
  for (;;) {
    size_t blocked = 0;
    for (size_t i = 0; i < count; i++) {
      if (!connections[i].blocked) write_next(&connections[i], frames, frame_count);
      blocked += (size_t)connections[i].blocked;
    }
    int ready = epoll_wait(poll, events, (int)count + 1, blocked == count ? -1 : 0);
    for (int i = 0; i < ready; i++) {
      struct connection *takes = events[i].data.ptr;
      if (takes) takes->blocked = 0;
      else if (read(STDIN_FILENO, &byte, 1) == 0) return 0;
    }
  }
}
