/* link.c - a session that is held up for forwards: ssh_link_* of ssh.h */
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "ssh/session.h"

enum { CONNECT_TRIES = 3 };		/* to connect, in 15 s */

struct forward {
	struct forward *next;
	struct ssh_link *link;
	uint32_t id;			/* the caller's */
	struct channel channel;
	struct str host;		/* on the pod's side */
	uint16_t port;
	struct str local;		/* remote: where we connect to */
	uint16_t local_port;
	enum tunnel_direction direction;
	int listener;			/* a copy; -1 */
	bool over;
};

struct ssh_link {
	struct op op;
	struct ssh *ssh;
	struct arena arena;
	struct ssh_target target;
	struct use use;
	struct channel base;		/* what concerns the session */
	struct forward *forwards;
	struct ssh_link_calls calls;
	void *ctx;
	bool up;
};

/* ------------------------------------------------------------- forwards ---- */

static void
forward_end(struct forward *forward)
{
	forward->over = true;
	channel_close(&forward->channel);
	if (forward->listener >= 0)
		close(forward->listener);
	forward->listener = -1;
}

/* A socket that connects to what a remote forward leads to, or -1.  Nobody
 * waits for it here: the worker finds out, as it would when it breaks. */
static int
connect_local(const struct forward *forward)
{
	struct resolve_address address = {0};
	const char *host = forward->local.len > 0 ? forward->local.data :
	    "127.0.0.1";
	struct sockaddr_un *path = (struct sockaddr_un *)&address.storage;
	const int tries = CONNECT_TRIES;

	if (host[0] == '/') {
		if (forward->local.len >= sizeof path->sun_path)
			return -1;
		path->sun_family = AF_UNIX;
		memcpy(path->sun_path, host, forward->local.len);
		address.len = sizeof *path;
	} else if (!resolve_number(strcmp(host, "localhost") == 0 ?
		"127.0.0.1" : host, forward->local_port, &address))
		return -1;
	int fd = socket(address.storage.ss_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* Nothing to a socket of another kind. */
	setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &tries, sizeof tries);
	if (connect(fd, (const struct sockaddr *)&address.storage,
		address.len) != 0 && errno != EINPROGRESS) {
		close(fd);
		return -1;
	}
	return fd;
}

static void
forward_message(void *ctx, const struct wire *message)
{
	struct forward *forward = ctx;
	struct ssh_link *link = forward->link;

	switch (message->type) {
	case WIRE_LISTENING:
		if (link->calls.forward != NULL)
			link->calls.forward(link->ctx, forward->id, true,
			    (uint16_t)message->a, (struct str){0});
		break;
	case WIRE_FAILED:
		forward_end(forward);
		if (link->calls.forward != NULL)
			link->calls.forward(link->ctx, forward->id, false, 0,
			    (struct str){ message->payload, message->size });
		break;
	case WIRE_WANT_CONNECT:
		channel_send(&forward->channel, &(struct wire){
			.type = WIRE_CONNECTED, .a = message->a,
			.fd = forward->direction == TUNNEL_REMOTE ?
			    connect_local(forward) : -1,
		});
		break;
	case WIRE_STATS:
		if (link->calls.stats != NULL)
			link->calls.stats(link->ctx, forward->id,
			    (uint64_t)message->a, (uint64_t)message->b,
			    (uint64_t)message->c);
		break;
	default:
		break;
	}
}

static void
forward_start(struct forward *forward)
{
	struct arena arena = {0};
	struct str payload = {0};

	forward->channel.message = forward_message;
	forward->channel.ctx = forward;
	channel_open(forward->link->use.session, &forward->channel);
	if (forward->direction != TUNNEL_DYNAMIC)
		payload = arena_printf(&arena, STR_FMT "%c%u",
		    STR_ARG(forward->host), 0, forward->port);
	channel_send(&forward->channel, &(struct wire){
		.type = WIRE_FORWARD, .a = (int64_t)forward->direction,
		.payload = payload.data, .size = payload.len,
		.fd = forward->listener,
	});
	forward->listener = -1;
	arena_release(&arena);
}

void
ssh_link_forward(struct ssh_link *link, uint32_t id,
    const struct tunnel_config *config, int listener)
{
	struct forward *forward = ARENA_NEW(&link->arena, struct forward);
	*forward = (struct forward){
		.next = link->forwards, .link = link, .id = id,
		.host = arena_str(&link->arena, config->remote_host),
		.port = config->remote_port,
		.local = arena_str(&link->arena, config->local_address),
		.local_port = config->local_port,
		.direction = config->direction, .listener = -1,
	};
	if (forward->host.len == 0)
		forward->host = STR("127.0.0.1");
	if (listener >= 0)
		forward->listener = fcntl(listener, F_DUPFD_CLOEXEC, 3);
	link->forwards = forward;
	if (link->up)
		forward_start(forward);
}

void
ssh_link_unforward(struct ssh_link *link, uint32_t id)
{
	for (struct forward *f = link->forwards; f != NULL; f = f->next) {
		if (f->id != id || f->over)
			continue;
		channel_send(&f->channel, &(struct wire){
			.type = WIRE_UNFORWARD, .fd = -1,
		});
		forward_end(f);
	}
}

/* ------------------------------------------------------------- the link ---- */

static void
link_key(void *ctx)
{
	struct ssh_link *link = ctx;
	if (link->calls.authenticating != NULL)
		link->calls.authenticating(link->ctx);
}

static void
base_message(void *ctx, const struct wire *message)
{
	struct ssh_link *link = ctx;
	if (message->type == WIRE_RTT && link->calls.rtt != NULL)
		link->calls.rtt(link->ctx, message->b);
}

static void
link_up(void *ctx)
{
	struct ssh_link *link = ctx;
	link->up = true;
	link->base.message = base_message;
	link->base.ctx = link;
	channel_open(link->use.session, &link->base);
	link->base.id = 0;
	for (struct forward *f = link->forwards; f != NULL; f = f->next)
		if (!f->over)
			forward_start(f);
	link->calls.up(link->ctx, link->use.fingerprint);
}

static void
let_go(struct ssh_link *link)
{
	link->up = false;
	for (struct forward *f = link->forwards; f != NULL; f = f->next)
		if (!f->over)
			forward_end(f);
	channel_close(&link->base);
	session_leave(&link->use);
}

static void
link_down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	struct ssh_link *link = ctx;
	struct str kept = arena_str(&link->arena, reason);
	let_go(link);
	link->calls.down(link->ctx, outcome, kept);
}

static void
cancel(struct op *op)
{
	struct ssh_link *link = (struct ssh_link *)op;
	for (struct forward *f = link->forwards; f != NULL; f = f->next)
		if (!f->over)
			channel_send(&f->channel, &(struct wire){
				.type = WIRE_UNFORWARD, .fd = -1,
			});
	let_go(link);
}

static void
release(struct op *op)
{
	struct ssh_link *link = (struct ssh_link *)op;
	arena_release(&link->arena);
	free(link);
}

struct ssh_link *
ssh_link_open(struct ssh *ssh, const struct ssh_target *target,
    const struct ssh_link_calls *calls, void *ctx)
{
	struct ssh_link *link = calloc(1, sizeof *link);
	if (link == NULL)
		fail_out_of_memory();
	link->ssh = ssh;
	link->calls = *calls;
	link->ctx = ctx;
	link->op = (struct op){
		.due_ms = -1, .cancel = cancel, .release = release,
	};
	ssh_copy_target(&link->arena, target, &link->target);
	link->use = (struct use){
		.key = link_key, .up = link_up, .down = link_down,
		.ctx = link, .target = &link->target,
	};
	session_use(ssh, &link->use);
	op_add(ssh, &link->op);
	return link;
}

void
ssh_link_close(struct ssh_link *link)
{
	if (link != NULL)
		ssh_cancel(link->ssh, link->op.number);
}
