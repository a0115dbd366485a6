// The null store: answers S3 uploads and discards their content, so that benchmarks measure clients without the cost of
// storing. One thread serves one connection.
//
//   main.c      listens, reads commands from stdin, serves connections
//   wire.c      the bytes of one connection, with or without TLS
//   request.c   parses the head of a request and discards its body
//   answer.c    answers a request as S3 does
//   objects.c   sizes and ETags of uploaded objects, because some clients check them after an upload
//   counters.c  counts requests, bytes and connections
#pragma once
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// The maximum size of a head, a line, and a TLS record.
enum { BUFFER_BYTES = 16384 };

typedef struct {
  int socket;
  SSL *tls;  // NULL without TLS
  size_t from, to;  // the received bytes in the buffer that were not read yet
  char buffer[BUFFER_BYTES + 1];  // with room for a NUL
} Wire;

// Reads up to and including `end`, and returns the text before it. NULL at the end of the connection, or if the text does
// not fit into the buffer. The text stays valid until the next read.
char *wire_until(Wire *wire, const char *end);
// Reads and discards `bytes` bytes; false if the connection ends first.
bool wire_discard(Wire *wire, uint64_t bytes);
bool wire_send(Wire *wire, const char *text, size_t bytes);

// An MD5 in hexadecimal, or a text that no client takes for one.
typedef char ETag[40];
// x-amz-meta-mtime, in which rclone stores and checks the time of a file; empty if there is none.
typedef char Mtime[40];

typedef struct {
  char method[8];
  char path[3200];  // enough for a key of 1024 escaped bytes
  char query[1024];  // without its "?"
  uint64_t size;  // of the content, without the framing of aws-chunked
  ETag etag;
  Mtime mtime;
  bool last;  // the client wants the connection closed
} Request;

// Reads the next request and discards its body; false if there is none.
bool request_read(Wire *wire, Request *request);
bool answer_send(Wire *wire, const Request *request);

typedef struct {
  uint64_t size;
  ETag etag;
  Mtime mtime;
} Object;

void objects_put(const char *name, const Object *object);
// Adds to the size of the object, and creates it if it is missing.
void objects_grow(const char *name, uint64_t bytes);
bool objects_get(const char *name, Object *object);
void objects_forget(const char *name);
void objects_forget_all(void);

typedef struct {
  atomic_ulong put, parts, post, head, get, delete, bytes, connections, in_flight, most_in_flight;
} Counters;
// `put` includes `parts`. `bytes` counts the bytes of bodies as they arrive, including framing.
extern Counters counters;
// The delay of every answer.
extern atomic_uint delay_millis;

void counters_started(void);
void counters_finished(void);
// Prints one line of JSON.
void counters_print(void);
void counters_reset(void);
