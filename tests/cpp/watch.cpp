#include "watch.h"

#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <new>

namespace sharks::test {
namespace {

Board* make_board() {
  void* place = mmap(nullptr, sizeof(Board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) std::abort();
  return new (place) Board;
}

Board* const the_board = make_board();
thread_local Board::Thread* mine = nullptr;

bool watched() { return the_board && (the_board->all_open || (mine && mine->open)); }

void allocation() {
  if (watched()) ++the_board->allocations;
}

void lock() {
  if (watched()) ++the_board->locks;
}

}  // namespace

Board& board() { return *the_board; }

void open_window(bool all_threads) {
  if (!mine) {
    const int place = the_board->threads++;
    if (place >= Board::kThreads) std::abort();
    mine = &the_board->thread[place];
    mine->id = static_cast<pid_t>(syscall(SYS_gettid));
  }
  mine->open = true;
  if (all_threads) the_board->all_open = true;
}

void close_window() {
  the_board->all_open = false;
  mine->open = false;
}

}  // namespace sharks::test

using sharks::test::allocation;
using sharks::test::lock;

extern "C" {

// glibc's own allocator, behind the names that this file takes over.
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
void __libc_free(void*);

void* malloc(size_t size) {
  allocation();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  allocation();
  return __libc_calloc(count, size);
}
void* realloc(void* old, size_t size) {
  allocation();
  return __libc_realloc(old, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  allocation();
  return __libc_memalign(alignment, size);
}
void* memalign(size_t alignment, size_t size) {
  allocation();
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** place, size_t alignment, size_t size) {
  allocation();
  *place = __libc_memalign(alignment, size);
  return *place ? 0 : ENOMEM;
}
void free(void* old) {
  allocation();
  __libc_free(old);
}

// Count the call, then make it.
#define WATCH_LOCK(name, parameters, ...)                                  \
  int name parameters {                                                    \
    using Function = int(*) parameters;                                    \
    static std::atomic<Function> real{nullptr};                            \
    if (!real) real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, #name)); \
    lock();                                                                \
    return real.load()(__VA_ARGS__);                                       \
  }

WATCH_LOCK(pthread_mutex_lock, (pthread_mutex_t * m) noexcept, m)
WATCH_LOCK(pthread_mutex_trylock, (pthread_mutex_t * m) noexcept, m)
WATCH_LOCK(pthread_mutex_unlock, (pthread_mutex_t * m) noexcept, m)
WATCH_LOCK(pthread_cond_wait, (pthread_cond_t * c, pthread_mutex_t* m), c, m)
WATCH_LOCK(pthread_cond_timedwait, (pthread_cond_t * c, pthread_mutex_t* m, const timespec* t), c, m, t)
WATCH_LOCK(pthread_cond_clockwait, (pthread_cond_t * c, pthread_mutex_t* m, clockid_t k, const timespec* t), c, m, k, t)
WATCH_LOCK(pthread_cond_signal, (pthread_cond_t * c) noexcept, c)
WATCH_LOCK(pthread_cond_broadcast, (pthread_cond_t * c) noexcept, c)
WATCH_LOCK(pthread_rwlock_rdlock, (pthread_rwlock_t * l) noexcept, l)
WATCH_LOCK(pthread_rwlock_wrlock, (pthread_rwlock_t * l) noexcept, l)
WATCH_LOCK(pthread_rwlock_unlock, (pthread_rwlock_t * l) noexcept, l)
WATCH_LOCK(pthread_spin_lock, (pthread_spinlock_t * l) noexcept, l)
WATCH_LOCK(sem_wait, (sem_t * s), s)
WATCH_LOCK(sem_post, (sem_t * s) noexcept, s)

}  // extern "C"
