// A store that keeps nothing: it answers S3 uploads and discards what is sent, so that what a client costs can be
// measured without the cost of storing. One thread serves one connection, from its first request to its last.
//
//   main.c      listens, takes commands on stdin, serves connections
//   wire.c      bytes of one connection, with or without TLS
//   request.c   one request: its head is understood, its body discarded
//   answer.c    what S3 would say to it
//   objects.c   sizes and ETags of what was "stored", because some clients ask for them after an upload
//   counters.c  what is counted
#pragma once
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Heads and lines have to fit; a record of TLS, too.
enum { BUFFER_BYTES = 16384 };

typedef struct {
  int socket;
  SSL *tls;  // NULL: none
  size_t from, to;  // what was received and not yet taken, in the buffer
  char buffer[BUFFER_BYTES + 1];  // and a NUL
} Wire;

// The text before `end`, which are both taken; NULL at the end of the connection, or if it does not fit. It stays valid
// until the wire is read again.
char *wire_until(Wire *wire, const char *end);
// Takes so many bytes and forgets them; false if the connection ends before.
bool wire_discard(Wire *wire, uint64_t bytes);
bool wire_send(Wire *wire, const char *text, size_t bytes);

// An MD5 in hexadecimal, or something that no client takes for one.
typedef char ETag[40];
// x-amz-meta-mtime, where rclone puts the time of a file and looks for it again; empty: none.
typedef char Mtime[40];

typedef struct {
  char method[8];
  char path[3200];  // of a key of 1024 bytes, each of them escaped
  char query[1024];  // without its "?"
  uint64_t size;  // of the content, without the framing of aws-chunked
  ETag etag;
  Mtime mtime;
  bool last;  // the client wants the connection closed
} Request;

// The next request, after its body; false if there is none.
bool request_read(Wire *wire, Request *request);
bool answer_send(Wire *wire, const Request *request);

typedef struct {
  uint64_t size;
  ETag etag;
  Mtime mtime;
} Object;

void objects_put(const char *name, const Object *object);
// Adds to the size of the object, which is made if need be.
void objects_grow(const char *name, uint64_t bytes);
bool objects_get(const char *name, Object *object);
void objects_forget(const char *name);
void objects_forget_all(void);

typedef struct {
  atomic_ulong put, parts, post, head, get, delete, bytes, connections, in_flight, most_in_flight;
} Counters;
// `put` includes `parts`; `bytes` are those of bodies, as they were sent, and are counted as they arrive.
extern Counters counters;
// Milliseconds that every answer waits.
extern atomic_uint delay_millis;

void counters_began(void);
void counters_ended(void);
// One line of JSON.
void counters_print(void);
void counters_reset(void);
