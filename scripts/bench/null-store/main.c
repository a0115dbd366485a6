// null-store [CERTIFICATE KEY]: listens on two ports of 127.0.0.1, the second with TLS if there is a certificate (PEM),
// and prints {"http":PORT,"https":PORT}. Exits when stdin is closed. Reads commands from stdin, one per line. After each
// command, prints the counters as a line of JSON:
//   counters    only prints the counters
//   reset       sets the counters to 0, and forgets all objects
//   delay N     delays every answer by N milliseconds
#define _GNU_SOURCE
#include "store.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

atomic_uint delay_millis;

typedef struct {
  int socket;
  SSL_CTX *tls;
} Listener;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static SSL_CTX *tls_with(const char *certificate, const char *key) {
  SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
  if (!tls || SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
      SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
    fputs("the certificate or its key cannot be used\n", stderr);
    exit(1);
  }
  // reads several records with one system call
  SSL_CTX_set_read_ahead(tls, 1);
  SSL_CTX_set_default_read_buffer_len(tls, 1 << 18);
  return tls;
}

static void *serve(void *given) {
  Wire *wire = given;
  Request request;
  while (request_read(wire, &request)) {
    bool sent = answer_send(wire, &request);
    counters_finished();
    if (!sent || request.last) break;
  }
  if (wire->tls) {
    SSL_shutdown(wire->tls);
    SSL_free(wire->tls);
  }
  close(wire->socket);
  free(wire);
  return NULL;
}

static void *accept_all(void *given) {
  const Listener *listener = given;
  pthread_attr_t detached;
  pthread_attr_init(&detached);
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  // small stacks, because there may be thousands of connections
  pthread_attr_setstacksize(&detached, 1 << 18);
  for (;;) {
    int socket = accept(listener->socket, NULL, NULL);
    if (socket < 0) continue;
    atomic_fetch_add(&counters.connections, 1);
    int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    Wire *wire = calloc(1, sizeof *wire);
    if (!wire) abort();
    wire->socket = socket;
    if (listener->tls) {
      wire->tls = SSL_new(listener->tls);
      SSL_set_fd(wire->tls, socket);
      SSL_set_accept_state(wire->tls);  // the first read performs the handshake
    }
    pthread_t thread;
    if (pthread_create(&thread, &detached, serve, wire) != 0) fail("pthread_create");
  }
}

// Starts to accept connections on a free port, and returns the port.
static int listen_with(SSL_CTX *tls) {
  Listener *listener = malloc(sizeof *listener);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  if (!listener) abort();
  listener->tls = tls;
  listener->socket = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener->socket, (struct sockaddr *)&address, length) != 0) fail("bind");
  if (listen(listener->socket, 4096) != 0) fail("listen");
  getsockname(listener->socket, (struct sockaddr *)&address, &length);
  pthread_t thread;
  if (pthread_create(&thread, NULL, accept_all, listener) != 0) fail("pthread_create");
  return ntohs(address.sin_port);
}

int main(int count, char **arguments) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int http = listen_with(NULL);
  int https = count > 2 ? listen_with(tls_with(arguments[1], arguments[2])) : 0;
  printf("{\"http\":%d,\"https\":%d}\n", http, https);
  fflush(stdout);
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    if (strncmp(line, "reset", 5) == 0) counters_reset();
    if (strncmp(line, "delay ", 6) == 0) atomic_store(&delay_millis, (unsigned)atoi(line + 6));
    counters_print();
  }
  return 0;
}
