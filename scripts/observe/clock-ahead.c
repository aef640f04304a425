/* Makes a program believe that it is CLOCK_AHEAD_SECONDS later: preloaded into a Redis by `npm run observe`. The monotonic clock stays. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static time_t ahead(void) {
  static int known = 0;
  static time_t seconds = 0;
  if (!known) {
    const char *text = getenv("CLOCK_AHEAD_SECONDS");
    seconds = text == NULL ? 0 : atol(text);
    known = 1;
  }
  return seconds;
}
int clock_gettime(clockid_t clock, struct timespec *at) {
  const int result = (int)syscall(SYS_clock_gettime, clock, at);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) at->tv_sec += ahead();
  return result;
}
int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  const int result = (int)syscall(SYS_gettimeofday, at, zone);
  if (result == 0) at->tv_sec += ahead();
  return result;
}
time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}
