// Counts the system calls of a child process and all its threads, by ptrace.
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

#include "watch.h"

namespace sharks::test {
namespace {

bool watched(pid_t id) {
  const Board& seen = board();
  if (seen.all_open) return true;
  for (int i = 0; i < seen.threads; ++i)
    if (seen.thread[i].id == id && seen.thread[i].open) return true;
  return false;
}

// A thread stands at a system call's beginning or end.
void at_call(pid_t id) {
  __ptrace_syscall_info call{};
  const bool known = ptrace(PTRACE_GET_SYSCALL_INFO, id, sizeof call, &call) > 0;
  if (!known || call.op != PTRACE_SYSCALL_INFO_ENTRY || !watched(id)) return;
  const long number = static_cast<long>(call.entry.nr);
  if (number == SYS_sched_yield || number == SYS_clock_nanosleep) {
    ++board().yields;
  } else {
    ++board().system_calls;
    board().last_call = number;
  }
}

int follow(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, __WALL) != child || !WIFSTOPPED(status)) return 1;
  ptrace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_EXITKILL);
  ptrace(PTRACE_SYSCALL, child, 0, 0);
  for (;;) {
    const pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0) return 1;
    if (!WIFSTOPPED(status)) {
      if (id == child) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      continue;
    }
    const int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) at_call(id);
    const bool ours = signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP;
    ptrace(PTRACE_SYSCALL, id, 0, ours ? 0 : signal);
  }
}

}  // namespace

int trace(int (*program)()) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) return 1;
  if (child == 0) {
    board().traced = ptrace(PTRACE_TRACEME, 0, 0, 0) == 0;
    if (board().traced) raise(SIGSTOP);
    const int status = program();
    std::fflush(nullptr);
    _exit(status);
  }
  // Without tracing the child does not stop before it ends; follow's first wait would take its end for trouble.
  siginfo_t how{};
  if (waitid(P_PID, static_cast<id_t>(child), &how, WEXITED | WSTOPPED | WNOWAIT) == 0 && how.si_code == CLD_EXITED) {
    int status = 0;
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  }
  return follow(child);
}

}  // namespace sharks::test
