#define _GNU_SOURCE
#include "store.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

// More chains than any workload of the usual size has objects, so that chains stay short.
enum { CHAINS = 1 << 17 };

typedef struct Entry {
  struct Entry *next;
  Object object;
  char name[];
} Entry;

static Entry *chains[CHAINS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

// The pointer to the entry of that name, or to the end of its chain. FNV-1a selects the chain.
static Entry **place_of(const char *name) {
  uint32_t hash = 2166136261u;
  for (const char *at = name; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619u;
  Entry **place = &chains[hash % CHAINS];
  while (*place && strcmp((*place)->name, name) != 0) place = &(*place)->next;
  return place;
}

static Object *find_or_create(const char *name) {
  Entry **place = place_of(name);
  if (!*place) {
    *place = calloc(1, sizeof(Entry) + strlen(name) + 1);
    if (!*place) abort();
    strcpy((*place)->name, name);
  }
  return &(*place)->object;
}

static void forget(Entry **place) {
  Entry *entry = *place;
  if (!entry) return;
  *place = entry->next;
  free(entry);
}

void objects_put(const char *name, const Object *object) {
  pthread_mutex_lock(&lock);
  *find_or_create(name) = *object;
  pthread_mutex_unlock(&lock);
}

void objects_grow(const char *name, uint64_t bytes) {
  pthread_mutex_lock(&lock);
  find_or_create(name)->size += bytes;
  pthread_mutex_unlock(&lock);
}

bool objects_get(const char *name, Object *object) {
  pthread_mutex_lock(&lock);
  const Entry *entry = *place_of(name);
  if (entry) *object = entry->object;
  pthread_mutex_unlock(&lock);
  return entry != NULL;
}

void objects_forget(const char *name) {
  pthread_mutex_lock(&lock);
  forget(place_of(name));
  pthread_mutex_unlock(&lock);
}

void objects_forget_all(void) {
  pthread_mutex_lock(&lock);
  for (int chain = 0; chain < CHAINS; chain++) {
    while (chains[chain]) forget(&chains[chain]);
  }
  pthread_mutex_unlock(&lock);
}
