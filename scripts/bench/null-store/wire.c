#define _GNU_SOURCE
#include "store.h"
#include <string.h>
#include <sys/socket.h>

// Appends received bytes to the buffer; false at the end of the connection, or if the buffer is full.
static bool receive(Wire *wire) {
  if (wire->from == wire->to) wire->from = wire->to = 0;
  if (wire->to == BUFFER_BYTES) {
    memmove(wire->buffer, wire->buffer + wire->from, wire->to - wire->from);
    wire->to -= wire->from;
    wire->from = 0;
  }
  char *free = wire->buffer + wire->to;
  size_t room = BUFFER_BYTES - wire->to;
  if (room == 0) return false;
  ssize_t got = wire->tls ? SSL_read(wire->tls, free, (int)room) : recv(wire->socket, free, room, 0);
  if (got <= 0) return false;
  wire->to += (size_t)got;
  return true;
}

char *wire_until(Wire *wire, const char *end) {
  for (;;) {
    char *text = wire->buffer + wire->from;
    wire->buffer[wire->to] = '\0';
    char *found = strstr(text, end);
    if (found) {
      *found = '\0';
      wire->from = (size_t)(found + strlen(end) - wire->buffer);
      return text;
    }
    if (!receive(wire)) return NULL;
  }
}

bool wire_discard(Wire *wire, uint64_t bytes) {
  while (bytes > 0) {
    uint64_t taken;
    if (wire->from < wire->to) {
      uint64_t here = wire->to - wire->from;
      taken = here < bytes ? here : bytes;
      wire->from += taken;
    } else if (wire->tls) {
      if (!receive(wire)) return false;
      continue;
    } else {
      // the kernel discards them without copying them
      ssize_t got = recv(wire->socket, NULL, bytes < (1 << 24) ? bytes : 1 << 24, MSG_TRUNC);
      if (got <= 0) return false;
      taken = (uint64_t)got;
    }
    bytes -= taken;
    atomic_fetch_add(&counters.bytes, taken);
  }
  return true;
}

bool wire_send(Wire *wire, const char *text, size_t bytes) {
  while (bytes > 0) {
    ssize_t sent = wire->tls ? SSL_write(wire->tls, text, (int)bytes) : send(wire->socket, text, bytes, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text += sent;
    bytes -= (size_t)sent;
  }
  return true;
}
