/* pod_input.c - see pod_input.h */
#include "pod_input.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { BLOCK = 32 << 10 };

struct pod_input {
	struct app *app;
	struct ssh *ssh;
	uint64_t number;
	int epoll;		/* of standard input alone: what is polled */
	bool plain;		/* a file, which is always ready */
	bool waiting;		/* for room at the pod */
	bool over;
	char block[BLOCK];
	size_t at, n;		/* of block: what waits */
};

static void
watch(struct pod_input *input, bool on)
{
	struct epoll_event event = { .events = EPOLLIN };

	if (!input->plain)
		epoll_ctl(input->epoll, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL,
		    STDIN_FILENO, &event);
}

void
pod_input_stop(struct pod_input *input)
{
	if (input->over)
		return;
	if (!input->waiting)
		watch(input, false);
	input->over = true;
}

/* Hand on what waits; false when the pod wants no more for now. */
static bool
hand_on(struct pod_input *input)
{
	while (input->at < input->n) {
		size_t taken = ssh_exec_input(input->ssh, input->number,
		    (struct str){ input->block + input->at,
			input->n - input->at });
		if (taken == 0)
			return false;
		input->at += taken;
	}
	return true;
}

static void
turn(void *ctx)
{
	struct pod_input *input = ctx;
	ssize_t n;

	if (input->over || input->waiting)
		return;
	n = read(STDIN_FILENO, input->block, sizeof(input->block));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		ssh_exec_input_end(input->ssh, input->number);
		pod_input_stop(input);
		return;
	}
	input->at = 0;
	input->n = (size_t)n;
	if (!hand_on(input)) {
		input->waiting = true;
		watch(input, false);
	}
}

void
pod_input_more(struct pod_input *input)
{
	if (input->over || !input->waiting || !hand_on(input))
		return;
	input->waiting = false;
	watch(input, true);
}

static int64_t
next_ms(void *ctx)
{
	const struct pod_input *input = ctx;

	return input->plain && !input->over && !input->waiting ? 0 : -1;
}

static bool
cancel(void *ctx, uint64_t token)
{
	(void)ctx;
	(void)token;
	return false;
}

struct pod_input *
pod_input_new(struct app *app, struct ssh *ssh, uint64_t number)
{
	struct pod_input *input = calloc(1, sizeof(*input));
	struct epoll_event event = { .events = EPOLLIN };
	struct io_guest guest = { .ctx = input, .turn = turn,
		.next_ms = next_ms, .cancel = cancel };

	if (input == NULL)
		fail_out_of_memory();
	*input = (struct pod_input){ .app = app, .ssh = ssh,
		.number = number };
	input->epoll = epoll_create1(EPOLL_CLOEXEC);
	input->plain = input->epoll < 0 || epoll_ctl(input->epoll,
	    EPOLL_CTL_ADD, STDIN_FILENO, &event) != 0;
	guest.fd = input->plain ? -1 : input->epoll;
	io_world_attach(app->io, &guest);
	return input;
}

void
pod_input_free(struct pod_input *input)
{
	if (input == NULL)
		return;
	if (input->epoll >= 0)
		close(input->epoll);
	free(input);
}
