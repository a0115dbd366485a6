#define _GNU_SOURCE
#include "store.h"
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

// The value of a header, followed by the rest of the head; NULL if it is missing.
static const char *header(const char *head, const char *name) {
  size_t length = strlen(name);
  for (const char *line = strchr(head, '\n'); line; line = strchr(line, '\n')) {
    line++;
    if (strncasecmp(line, name, length) != 0 || line[length] != ':') continue;
    const char *value = line + length + 1;
    return value + strspn(value, " ");
  }
  return NULL;
}

static void copy(char *to, size_t room, const char *from, size_t length) {
  snprintf(to, room, "%.*s", (int)length, from);
}

static uint64_t number(const char *text) { return text ? strtoull(text, NULL, 10) : 0; }

// S3's ETag is the MD5 of the content. The store repeats the client's Content-MD5, because computing the MD5 would cost
// more than everything else.
static void etag_of(const char *head, ETag etag) {
  const char *base64 = header(head, "Content-MD5");
  unsigned char md5[18];
  // 24 base64 digits decode to 18 bytes, of which two are padding
  if (!base64 || EVP_DecodeBlock(md5, (const unsigned char *)base64, 24) != sizeof md5) {
    strcpy(etag, "not-computed");
    return;
  }
  for (int at = 0; at < 16; at++) sprintf(etag + 2 * at, "%02x", md5[at]);
}

// Discards a chunked body: chunks, each after a line with its size, and then trailers up to an empty line.
static bool discard_chunks(Wire *wire) {
  for (;;) {
    const char *line = wire_until(wire, "\r\n");
    if (!line) return false;
    uint64_t bytes = strtoull(line, NULL, 16);
    if (bytes == 0) break;
    if (!wire_discard(wire, bytes) || !wire_until(wire, "\r\n")) return false;
  }
  for (;;) {
    const char *trailer = wire_until(wire, "\r\n");
    if (!trailer || *trailer == '\0') return trailer != NULL;
  }
}

// Overwrites the head, because the body is read into the same buffer.
static bool discard_body(Wire *wire, const char *head) {
  uint64_t length = number(header(head, "Content-Length"));
  const char *encoding = header(head, "Transfer-Encoding");
  bool chunked = encoding && strncasecmp(encoding, "chunked", 7) == 0;
  static const char continue_100[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (header(head, "Expect") && !wire_send(wire, continue_100, sizeof continue_100 - 1)) return false;
  return chunked ? discard_chunks(wire) : wire_discard(wire, length);
}

bool request_read(Wire *wire, Request *request) {
  const char *head = wire_until(wire, "\r\n\r\n");
  size_t method = head ? strcspn(head, " ") : 0;
  if (!head || head[method] != ' ') return false;
  counters_started();
  const char *path = head + method + 1;
  size_t path_length = strcspn(path, "? ");
  const char *query = path + path_length + 1;
  copy(request->method, sizeof request->method, head, method);
  copy(request->path, sizeof request->path, path, path_length);
  copy(request->query, sizeof request->query, query, path[path_length] == '?' ? strcspn(query, " ") : 0);
  const char *mtime = header(head, "x-amz-meta-mtime");
  copy(request->mtime, sizeof request->mtime, mtime ? mtime : "", mtime ? strcspn(mtime, "\r") : 0);
  const char *connection = header(head, "Connection");
  request->last = connection && strncasecmp(connection, "close", 5) == 0;
  etag_of(head, request->etag);
  // the framing of aws-chunked in the body counts as bytes sent, but not as content
  const char *content = header(head, "x-amz-decoded-content-length");
  request->size = number(content ? content : header(head, "Content-Length"));
  bool whole = discard_body(wire, head);
  if (!whole) counters_finished();
  return whole;
}
