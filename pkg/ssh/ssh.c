/* ssh.c - see ssh.h; sessions are in session.c, what they do in exec.c ... */
#include "ssh/ssh.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "ssh/session.h"

enum {
	READY_MAX = 64, TURNS_MAX = 64,
	SETTLE_MS = 2000,
	SESSIONS = 50, LOGIN_MS = 30 * 1000, IDLE_MS = 5000,
};

struct ssh *
ssh_new(const struct ssh_config *config)
{
	struct ssh *ssh = calloc(1, sizeof *ssh);
	if (ssh == NULL || (ssh->buffer = malloc(WIRE_PAYLOAD_MAX + 1)) == NULL)
		fail_out_of_memory();
	ssh->config = *config;
	if (ssh->config.max_sessions == 0)
		ssh->config.max_sessions = SESSIONS;
	if (ssh->config.login_ms == 0)
		ssh->config.login_ms = LOGIN_MS;
	if (ssh->config.idle_ms == 0)
		ssh->config.idle_ms = IDLE_MS;
	ssh->server = -1;
	ssh->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (ssh->epoll < 0)
		fail_out_of_descriptors();
	return ssh;
}

static void
sweep(struct ssh *ssh, bool all)
{
	struct op **at = &ssh->ops;
	while (*at != NULL) {
		struct op *op = *at;
		if (!all && !op->over) {
			at = &op->next;
			continue;
		}
		*at = op->next;
		op->release(op);
	}
	sessions_sweep(ssh, all);
}

static void
cancel_all(struct ssh *ssh, bool kills)
{
	for (struct op *op = ssh->ops; op != NULL; op = op->next)
		if (!op->over && (kills || !op->kills)) {
			op->over = true;
			op->cancel(op);
		}
}

static bool
kills_wait(const struct ssh *ssh)
{
	for (const struct op *op = ssh->ops; op != NULL; op = op->next)
		if (op->kills && !op->over)
			return true;
	return false;
}

/* Let the commands that end others on the pods get there. */
static void
settle(struct ssh *ssh)
{
	int64_t until = ssh_now(ssh) + SETTLE_MS;

	while (kills_wait(ssh) && ssh_now(ssh) < until) {
		struct pollfd ready = { .fd = ssh->epoll, .events = POLLIN };
		int64_t next = ssh_next_ms(ssh), now = ssh_now(ssh);

		if (next < 0 || next > until)
			next = until;
		if (next > now)
			poll(&ready, 1, (int)(next - now));
		ssh_turn(ssh);
	}
}

void
ssh_free(struct ssh *ssh)
{
	if (ssh == NULL)
		return;
	ssh->ending = true;
	cancel_all(ssh, false);
	settle(ssh);
	cancel_all(ssh, true);
	sweep(ssh, true);
	worker_end(ssh);
	close(ssh->epoll);
	free(ssh->buffer);
	free(ssh);
}

int
ssh_fd(const struct ssh *ssh)
{
	return ssh->epoll;
}

int64_t
ssh_now(const struct ssh *ssh)
{
	return ssh->config.clock->mono_ms(ssh->config.clock->ctx);
}

int64_t
ssh_next_ms(const struct ssh *ssh)
{
	int64_t next = sessions_next_ms(ssh);
	if (ssh->work)
		return ssh_now(ssh);
	for (const struct op *op = ssh->ops; op != NULL; op = op->next)
		if (!op->over && op->due_ms >= 0 &&
		    (next < 0 || op->due_ms < next))
			next = op->due_ms;
	return next;
}

static void
ops_tick(struct ssh *ssh)
{
	int64_t now = ssh_now(ssh);
	for (struct op *op = ssh->ops; op != NULL; op = op->next)
		if (!op->over && op->due_ms >= 0 && now >= op->due_ms) {
			op->due_ms = -1;
			op->due(op);
		}
}

void
ssh_turn(struct ssh *ssh)
{
	struct epoll_event ready[READY_MAX];
	int n = epoll_wait(ssh->epoll, ready, READY_MAX, 0);

	ssh->work = false;
	for (int i = 0; i < n; i++)
		session_ready(ready[i].data.ptr, ready[i].events);
	sessions_tick(ssh);
	ops_tick(ssh);
	/* What is told starts more; bounded, so that others get a turn. */
	for (int i = 0; i < TURNS_MAX; i++) {
		sessions_begin(ssh);
		sessions_tell(ssh);
		if (!ssh->work)
			break;
		ssh->work = i + 1 == TURNS_MAX;
	}
	sweep(ssh, false);
}

void
ssh_suspended(struct ssh *ssh)
{
	for (struct session *s = ssh->sessions; s != NULL; s = s->next)
		if (s->state != SESSION_WAITING)
			session_down(s, s->state == SESSION_UP ? SSH_LOST :
			    SSH_UNREACHABLE, "the machine was asleep");
}

void
ssh_cancel(struct ssh *ssh, uint64_t number)
{
	struct op *op = op_find(ssh, number);
	if (op == NULL)
		return;
	op->over = true;
	op->cancel(op);
	ssh->work = true;
}

/* ------------------------------------------------------------- for parts -- */

uint64_t
op_add(struct ssh *ssh, struct op *op)
{
	struct op **end = &ssh->ops;
	while (*end != NULL)
		end = &(*end)->next;
	*end = op;
	ssh->work = true;
	return op->number = ++ssh->last_number;
}

struct op *
op_find(struct ssh *ssh, uint64_t number)
{
	for (struct op *op = ssh->ops; op != NULL; op = op->next)
		if (op->number == number && !op->over)
			return op;
	return NULL;
}

void
ssh_trace(const struct ssh *ssh, const char *format, ...)
{
	struct strbuf line = {0};
	va_list args;

	if (ssh->config.trace == NULL)
		return;
	va_start(args, format);
	strbuf_vaddf(&line, format, args);
	va_end(args);
	ssh->config.trace(ssh->config.ctx, strbuf_str(&line));
	strbuf_release(&line);
}

static struct str
copy(struct arena *arena, struct str text)
{
	return text.data == NULL ? text : arena_str(arena, text);
}

void
ssh_copy_target(struct arena *arena, const struct ssh_target *from,
    struct ssh_target *to)
{
	struct str *pins = ARENA_ARRAY(arena, struct str, from->npins + 1);
	for (size_t i = 0; i < from->npins; i++)
		pins[i] = copy(arena, from->pins[i]);
	*to = (struct ssh_target){
		.pod = copy(arena, from->pod),
		.start = copy(arena, from->start),
		.host = arena_str(arena, from->host), .port = from->port,
		.user = copy(arena, from->user), .key = copy(arena, from->key),
		.pins = pins, .npins = from->npins,
	};
}

void
ssh_warm_up(struct ssh *ssh)
{
	worker_warm_up(ssh);
}
