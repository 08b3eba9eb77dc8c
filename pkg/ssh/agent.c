/* agent.c - see agent.h */
#include "ssh/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/strbuf.h"
#include "ssh/blob.h"

enum {
	REQUEST_IDENTITIES = 11, IDENTITIES_ANSWER = 12,
	SIGN_REQUEST = 13, SIGN_RESPONSE = 14,
	ANSWER_MAX = 256 << 10,		/* as OpenSSH's own limit */
	KEYS_MAX = 64,
};

struct agent_op {
	int fd;
	const char *why;
	struct strbuf request;
	size_t sent;
	struct strbuf answer;		/* with its length in front */
};

static struct agent_op *
op_new(void)
{
	struct agent_op *op = calloc(1, sizeof *op);
	if (op == NULL)
		fail_out_of_memory();
	op->fd = -1;
	op->why = "it does not answer";
	return op;
}

static enum agent_step
failed(struct agent_op *op, const char *why)
{
	op->why = why;
	if (op->fd >= 0)
		close(op->fd);
	op->fd = -1;
	return AGENT_FAILED;
}

/* Connections to a socket of this machine are made at once, or not now. */
static void
op_connect(struct agent_op *op, struct str path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (path.len == 0 || path.len >= sizeof address.sun_path) {
		failed(op, "the path of its socket is no path");
		return;
	}
	memcpy(address.sun_path, path.data, path.len);
	op->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (op->fd < 0) {
		failed(op, strerror(errno));
		return;
	}
	if (connect(op->fd, (const struct sockaddr *)&address,
		sizeof address) != 0)
		failed(op, errno == EAGAIN ? "it does not answer" :
		    errno == ENOENT || errno == ECONNREFUSED ?
		    "it is gone" : strerror(errno));
}

struct agent_op *
agent_op_list(struct str socket)
{
	struct agent_op *op = op_new();
	blob_put_u32(&op->request, 1);
	blob_put_u8(&op->request, REQUEST_IDENTITIES);
	op_connect(op, socket);
	return op;
}

struct agent_op *
agent_op_sign(struct str socket, struct str blob, struct str data)
{
	struct agent_op *op = op_new();
	struct strbuf body = {0};
	blob_put_u8(&body, SIGN_REQUEST);
	blob_put_string(&body, blob);
	blob_put_string(&body, data);
	blob_put_u32(&body, 0);		/* flags: of RSA only */
	blob_put_string(&op->request, strbuf_str(&body));
	strbuf_release(&body);
	op_connect(op, socket);
	return op;
}

void
agent_op_free(struct agent_op *op)
{
	if (op == NULL)
		return;
	if (op->fd >= 0)
		close(op->fd);
	strbuf_release(&op->request);
	strbuf_release(&op->answer);
	free(op);
}

int
agent_op_fd(const struct agent_op *op)
{
	return op->fd;
}

const char *
agent_op_why(const struct agent_op *op)
{
	return op->why;
}

/* How long the answer is with its length, once that is known; else 4. */
static size_t
wanted(const struct agent_op *op)
{
	struct blob blob = { .left = strbuf_str(&op->answer) };
	return op->answer.len < 4 ? 4 : 4 + (size_t)blob_u32(&blob);
}

static enum agent_step
receive(struct agent_op *op)
{
	char bytes[4096];
	while (op->answer.len < wanted(op)) {
		size_t room = wanted(op) - op->answer.len;
		if (room > ANSWER_MAX)
			return failed(op, "its answer is too long");
		ssize_t n = recv(op->fd, bytes,
		    room < sizeof bytes ? room : sizeof bytes, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return AGENT_READ;
		if (n <= 0)
			return failed(op, "it hung up");
		strbuf_add(&op->answer, (struct str){ bytes, (size_t)n });
	}
	return AGENT_DONE;
}

enum agent_step
agent_op_step(struct agent_op *op)
{
	if (op->fd < 0)
		return AGENT_FAILED;
	while (op->sent < op->request.len) {
		ssize_t n = send(op->fd, op->request.data + op->sent,
		    op->request.len - op->sent, MSG_NOSIGNAL);
		if (n >= 0)
			op->sent += (size_t)n;
		else if (errno == EAGAIN)
			return AGENT_WRITE;
		else if (errno != EINTR)
			return failed(op, "it hung up");
	}
	return receive(op);
}

bool
agent_op_finish(struct agent_op *op, int timeout_ms)
{
	struct itimerspec when = {
		.it_value.tv_sec = timeout_ms / 1000,
		.it_value.tv_nsec = timeout_ms % 1000 * 1000000L,
	};
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	enum agent_step step = AGENT_FAILED;

	if (timer < 0 || timerfd_settime(timer, 0, &when, NULL) != 0)
		goto out;
	for (;;) {
		step = agent_op_step(op);
		if (step != AGENT_READ && step != AGENT_WRITE)
			break;
		struct pollfd ready[2] = {
			{ .fd = op->fd, .events = step == AGENT_READ ?
			    POLLIN : POLLOUT },
			{ .fd = timer, .events = POLLIN },
		};
		if (poll(ready, 2, -1) < 0 && errno != EINTR)
			break;
		if (ready[1].revents != 0) {
			step = failed(op, "it does not answer");
			break;
		}
	}
out:
	if (timer >= 0)
		close(timer);
	return step == AGENT_DONE;
}

/* ------------------------------------------------------------- answers ---- */

static struct blob
answer(const struct agent_op *op)
{
	return (struct blob){
		.left = str_sub(strbuf_str(&op->answer), 4, op->answer.len),
	};
}

bool
agent_op_keys(const struct agent_op *op, struct arena *arena,
    struct agent_key **keys, size_t *n)
{
	struct blob blob = answer(op);
	uint8_t type = blob_u8(&blob);
	uint32_t count = blob_u32(&blob);

	*n = 0;
	if (blob.failed || type != IDENTITIES_ANSWER)
		return false;
	*keys = ARENA_ARRAY(arena, struct agent_key, KEYS_MAX);
	for (uint32_t i = 0; i < count && !blob.failed; i++) {
		struct str key = blob_string(&blob);
		struct str comment = blob_string(&blob);
		if (blob.failed || *n == KEYS_MAX)
			continue;
		(*keys)[*n].blob = arena_str(arena, key);
		(*keys)[(*n)++].comment = arena_str(arena, comment);
	}
	return !blob.failed;
}

bool
agent_op_signature(const struct agent_op *op, struct arena *arena,
    struct str *signature)
{
	struct blob blob = answer(op);
	uint8_t type = blob_u8(&blob);
	struct str bytes = blob_string(&blob);

	if (!blob_at_end(&blob) || type != SIGN_RESPONSE)
		return false;
	*signature = arena_str(arena, bytes);
	return true;
}

bool
agent_key_usable(struct str blob)
{
	static const char *const types[] = {
		"ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
		"ecdsa-sha2-nistp521",
	};
	struct str type = blob_key_type(blob);
	for (size_t i = 0; i < COUNTOF(types); i++)
		if (str_is(type, types[i]))
			return true;
	return false;
}
