#define _GNU_SOURCE
#include "store.h"
#include <stdio.h>
#include <time.h>

Counters counters;

void counters_started(void) {
  unsigned long now = atomic_fetch_add(&counters.in_flight, 1) + 1;
  unsigned long most = atomic_load(&counters.most_in_flight);
  while (most < now && !atomic_compare_exchange_weak(&counters.most_in_flight, &most, now)) {
  }
}

void counters_finished(void) { atomic_fetch_sub(&counters.in_flight, 1); }

void counters_print(void) {
  struct timespec cpu;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  printf("{\"put\":%lu,\"parts\":%lu,\"post\":%lu,\"head\":%lu,\"get\":%lu,\"delete\":%lu,\"bytes\":%lu,"
         "\"connections\":%lu,\"mostInFlight\":%lu,\"cpu\":%ld.%06ld}\n",
         counters.put, counters.parts, counters.post, counters.head, counters.get, counters.delete, counters.bytes,
         counters.connections, counters.most_in_flight, (long)cpu.tv_sec, cpu.tv_nsec / 1000);
  fflush(stdout);
}

void counters_reset(void) {
  counters.put = counters.parts = counters.post = counters.head = counters.get = counters.delete = 0;
  counters.bytes = counters.connections = counters.most_in_flight = 0;
  objects_forget_all();
}
