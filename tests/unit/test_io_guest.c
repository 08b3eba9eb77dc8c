/* test_io_guest.c - another edge in the loop of io_world */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/ssh.h"
#include "io/io_world.h"

struct guest {
	struct io_world *io;
	struct arena arena;
	int fd;
	int64_t next_ms;
	uint64_t knows;			/* the token that cancel() knows */
	int turns, cancels, copies, releases;
};

static void
copy(void *kept, struct arena *arena, struct world_event *out)
{
	struct guest *guest = kept;
	struct ssh_answer *answer = ARENA_NEW(arena, struct ssh_answer);
	answer->status = 7;
	answer->output = arena_str(arena, STR("hello"));
	out->ssh = answer;
	guest->copies++;
}

static void
release(void *kept)
{
	struct guest *guest = kept;
	guest->releases++;
}

static void
push(struct guest *guest, uint64_t token)
{
	struct world_event event = { .type = WORLD_SSH, .token = token };
	io_world_push(guest->io, &event, copy, release, guest);
}

static void
turn(void *ctx)
{
	struct guest *guest = ctx;
	uint64_t n;
	guest->turns++;
	guest->next_ms = -1;
	if (read(guest->fd, &n, sizeof n) == sizeof n)
		push(guest, n);
	else
		push(guest, 99);
}

static int64_t
next_ms(void *ctx)
{
	struct guest *guest = ctx;
	return guest->next_ms;
}

static bool
cancel(void *ctx, uint64_t token)
{
	struct guest *guest = ctx;
	guest->cancels++;
	return token == guest->knows;
}

static int
setup(void **state)
{
	struct guest *guest = calloc(1, sizeof *guest);
	struct io_config config = {0};
	guest->io = io_world_new(&config);
	guest->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	guest->next_ms = -1;
	struct io_guest attached = {
		.ctx = guest, .fd = guest->fd, .turn = turn,
		.next_ms = next_ms, .cancel = cancel,
	};
	io_world_attach(guest->io, &attached);
	*state = guest;
	return 0;
}

static int
teardown(void **state)
{
	struct guest *guest = *state;
	io_world_free(guest->io);
	close(guest->fd);
	arena_release(&guest->arena);
	free(guest);
	return 0;
}

static struct world_event
wait_event(struct guest *guest, int64_t ms)
{
	struct world *world = io_world_seam(guest->io);
	struct world_event event;
	world->wait(world->ctx, &guest->arena,
	    world->clock.mono_ms(world->clock.ctx) + ms, &event);
	return event;
}

static void
test_io_guest_is_turned_when_its_descriptor_is_readable(void **state)
{
	struct guest *guest = *state;
	assert_int_equal(wait_event(guest, 1).type, WORLD_DEADLINE);
	assert_int_equal(guest->turns, 0);
	uint64_t token = 41;
	assert_int_equal(write(guest->fd, &token, sizeof token), 8);
	struct world_event event = wait_event(guest, 10000);
	assert_int_equal(event.type, WORLD_SSH);
	assert_int_equal(event.token, 41);
	assert_int_equal(event.ssh->status, 7);
	assert_true(str_is(event.ssh->output, "hello"));
	assert_int_equal(guest->turns, 1);
	assert_int_equal(guest->copies, 1);
	assert_int_equal(guest->releases, 1);
}

static void
test_io_guest_is_turned_when_its_time_has_come(void **state)
{
	struct guest *guest = *state;
	struct world *world = io_world_seam(guest->io);
	guest->next_ms = world->clock.mono_ms(world->clock.ctx) + 5;
	struct world_event event = wait_event(guest, 10000);
	assert_int_equal(event.type, WORLD_SSH);
	assert_int_equal(event.token, 99);
}

static void
test_io_guest_is_asked_for_tokens_that_nobody_else_has(void **state)
{
	struct guest *guest = *state;
	struct world *world = io_world_seam(guest->io);
	guest->knows = 5;
	push(guest, 6);
	world->cancel(world->ctx, 5);
	assert_int_equal(guest->cancels, 1);
	/* One that waits in the queue is dropped there, unread. */
	world->cancel(world->ctx, 6);
	assert_int_equal(guest->cancels, 1);
	assert_int_equal(guest->releases, 1);
	assert_int_equal(guest->copies, 0);
	assert_int_equal(wait_event(guest, 1).type, WORLD_DEADLINE);
}

static void
test_io_guest_is_rid_of_events_that_nobody_fetched(void **state)
{
	struct guest *guest = *state;
	push(guest, 1);
	push(guest, 2);
	io_world_free(guest->io);
	guest->io = NULL;
	assert_int_equal(guest->releases, 2);
	assert_int_equal(guest->copies, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_io_guest_is_turned_when_its_descriptor_is_readable),
		TEST(test_io_guest_is_turned_when_its_time_has_come),
		TEST(test_io_guest_is_asked_for_tokens_that_nobody_else_has),
		TEST(test_io_guest_is_rid_of_events_that_nobody_fetched),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
