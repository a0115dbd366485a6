#define _GNU_SOURCE
#include "store.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define S3 "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\""

typedef struct {
  const char *status;
  char headers[256];
  char body[512];
  uint64_t length;  // of the body; for HEAD, of the object
} Answer;

__attribute__((format(printf, 2, 3))) static void xml(Answer *answer, const char *format, ...) {
  va_list values;
  va_start(values, format);
  answer->length = (uint64_t)vsnprintf(answer->body, sizeof answer->body, format, values);
  va_end(values);
}

static bool has(const Request *request, const char *parameter) { return strstr(request->query, parameter) != NULL; }

// The upload of a request, as "uploadId=...". Until the upload is completed, this is the name of its object.
static const char *upload_of(const Request *request) { return strstr(request->query, "uploadId="); }

static void put(const Request *request, Answer *answer) {
  atomic_fetch_add(&counters.put, 1);
  const char *upload = upload_of(request);
  if (upload) {
    // a part that is sent again counts twice; no client checks the size
    atomic_fetch_add(&counters.parts, 1);
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(upload, "&"), upload);
    objects_grow(name, request->size);
  } else {
    Object object = {.size = request->size};
    strcpy(object.etag, request->etag);
    strcpy(object.mtime, request->mtime);
    objects_put(request->path, &object);
  }
  sprintf(answer->headers, "ETag: \"%s\"\r\n", request->etag);
}

static void post(const Request *request, Answer *answer) {
  unsigned long before = atomic_fetch_add(&counters.post, 1);
  const char *upload = upload_of(request);
  if (upload) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)strcspn(upload, "&"), upload);
    Object object = {.etag = "not-computed-1"};
    objects_get(name, &object);
    strcpy(object.etag, "not-computed-1");
    objects_put(request->path, &object);
    objects_forget(name);
    xml(answer, "<CompleteMultipartUploadResult " S3 "><ETag>\"%s\"</ETag></CompleteMultipartUploadResult>",
        object.etag);
  } else if (has(request, "uploads")) {
    xml(answer,
        "<InitiateMultipartUploadResult " S3 "><UploadId>upload-%lu</UploadId></InitiateMultipartUploadResult>",
        before);
  } else {
    xml(answer, "<DeleteResult " S3 "/>");
  }
}

// Whether the request is for an object (/bucket/key) and not for the bucket.
static bool names_object(const Request *request) {
  const char *slash = strchr(request->path + 1, '/');
  return slash && slash[1] != '\0';
}

static void head(const Request *request, Answer *answer) {
  atomic_fetch_add(&counters.head, 1);
  Object object;
  if (!names_object(request)) return;
  if (!objects_get(request->path, &object)) {
    answer->status = "404 Not Found";
    return;
  }
  answer->length = object.size;
  sprintf(answer->headers, "ETag: \"%s\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n%s%s%s", object.etag,
          object.mtime[0] ? "x-amz-meta-mtime: " : "", object.mtime, object.mtime[0] ? "\r\n" : "");
}

// No object can be read, and every list is empty.
static void get(const Request *request, Answer *answer) {
  atomic_fetch_add(&counters.get, 1);
  if (names_object(request)) {
    answer->status = "404 Not Found";
    xml(answer, "<Error><Code>NoSuchKey</Code><Message>This store keeps no objects.</Message></Error>");
  } else if (has(request, "location")) {
    xml(answer, "<LocationConstraint " S3 "/>");
  } else if (has(request, "uploads")) {
    xml(answer, "<ListMultipartUploadsResult " S3 "><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>");
  } else {
    xml(answer, "<ListBucketResult " S3 "><KeyCount>0</KeyCount><IsTruncated>false</IsTruncated></ListBucketResult>");
  }
}

static void delete(Answer *answer) {
  atomic_fetch_add(&counters.delete, 1);
  answer->status = "204 No Content";
}

static void delay(void) {
  unsigned millis = atomic_load(&delay_millis);
  struct timespec duration = {.tv_sec = millis / 1000, .tv_nsec = (long)(millis % 1000) * 1000000};
  if (millis > 0) nanosleep(&duration, NULL);
}

bool answer_send(Wire *wire, const Request *request) {
  Answer answer = {.status = "200 OK"};
  const char *method = request->method;
  if (strcmp(method, "PUT") == 0) put(request, &answer);
  else if (strcmp(method, "POST") == 0) post(request, &answer);
  else if (strcmp(method, "HEAD") == 0) head(request, &answer);
  else if (strcmp(method, "GET") == 0) get(request, &answer);
  else if (strcmp(method, "DELETE") == 0) delete(&answer);
  else answer.status = "405 Method Not Allowed";
  delay();

  // clients set their clocks by this date
  char date[40];
  time_t now = time(NULL);
  struct tm utc;
  strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
  char text[1400];
  int bytes = snprintf(text, sizeof text,
                       "HTTP/1.1 %s\r\nDate: %s\r\nx-amz-request-id: 0\r\n%sContent-Length: %lu\r\n%s\r\n%s",
                       answer.status, date, answer.headers, (unsigned long)answer.length,
                       request->last ? "Connection: close\r\n" : "", answer.body);
  return wire_send(wire, text, (size_t)bytes);
}
