/* io_clock.c - see io_clock.h */
#include "io/io_clock.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* Below this the two readings merely were not taken at one instant. */
enum { SLEPT_MS = 1500 };

static int64_t
read_clock(clockid_t id)
{
	struct timespec now;
	if (clock_gettime(id, &now) != 0)
		abort();	/* these clocks are always there */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t
mono_ms(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t
boot_ms(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_BOOTTIME);
}

static int64_t
wall_ms(void *ctx)
{
	(void)ctx;
	return read_clock(CLOCK_REALTIME);
}

struct clock
io_clock(void)
{
	return (struct clock){
		.mono_ms = mono_ms, .boot_ms = boot_ms, .wall_ms = wall_ms,
	};
}

/* Ids that repeat would make two pods one: no fallback, no excuse. */
static void
random_bytes(void *ctx, void *out, size_t n)
{
	(void)ctx;
	char *at = out;
	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		n -= (size_t)got;
	}
}

struct chance
io_chance(void)
{
	return (struct chance){ .bytes = random_bytes };
}

bool
io_clock_slept(int64_t *gap_ms, int64_t mono_ms, int64_t boot_ms)
{
	int64_t before = *gap_ms;
	int64_t now = boot_ms - mono_ms;
	*gap_ms = now;
	return before >= 0 && now - before >= SLEPT_MS;
}
