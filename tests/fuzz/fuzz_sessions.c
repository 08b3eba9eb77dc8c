/*
 * fuzz_sessions.c - podform's side of SSH, and a worker that was taken over:
 * whatever it says, each thing that was begun ends once and only once, and
 * what is pinned is believed of no other key.
 *
 * The first byte says what is begun; then come the worker's messages.  There
 * is no network, no process and no key: connections stand at once, the
 * worker is the other end of a pair in this process, and time runs whenever
 * somebody looks at it.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/tunnel.h"
#include "ssh/session.h"
#include "tests/fuzz/fuzz.h"

enum { OPS_MAX = 4, SPAWNS_MAX = 64 };

struct begun {
	bool pinned;			/* to a key that nobody has */
	bool ended, cancelled;
	bool is_link;
};

static struct {
	int64_t now_ms;
	int worker;			/* its end of the newest pair; -1 */
	unsigned spawned;
	bool pinned;			/* what the newest one was begun for */
	struct begun ops[OPS_MAX];
} play;

/* ---------------------------------------- instead of processes and keys -- */

void
worker_warm_up(struct ssh *ssh)
{
	(void)ssh;
}

int
worker_spawn(struct ssh *ssh)
{
	int pair[2];

	(void)ssh;
	if (++play.spawned > SPAWNS_MAX || wire_pair(pair) != 0)
		return -EMFILE;
	if (play.worker != -1)
		close(play.worker);
	play.worker = pair[1];
	return pair[0];
}

void
worker_end(struct ssh *ssh)
{
	(void)ssh;
}

bool
keys_offer(struct ssh_keys *keys, struct str key_path, struct identities *out,
    struct str *agent, struct str *why)
{
	(void)keys, (void)key_path, (void)agent, (void)why;
	out->n = 2;
	out->list[0] = (struct identity){ .words = STR("a key"),
	    .blob = STR("\0\0\0\x0bssh-ed25519\0\0\0\x20"
		"kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk") };
	out->list[1] = out->list[0];
	return true;
}

void
identities_add(struct identities *identities, const struct identity *identity)
{
	if (identities->n < IDENTITIES_MAX)
		identities->list[identities->n++] = *identity;
}

int __wrap_connect(int fd, const void *address, socklen_t size);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

int
__wrap_connect(int fd, const void *address, socklen_t size)
{
	(void)fd, (void)address, (void)size;
	return 0;
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	(void)fds, (void)n, (void)timeout_ms;
	play.now_ms += 100;
	return 0;
}

static int64_t
mono_ms(void *ctx)
{
	(void)ctx;
	return play.now_ms += 3;
}

/* ------------------------------------------------------- what comes back -- */

static void
ends(struct begun *op, const struct ssh_answer *answer)
{
	assert(!op->ended && !op->cancelled);
	op->ended = true;
	assert((unsigned)answer->outcome <= SSH_LOCAL);
	assert(answer->outcome == SSH_DONE || answer->reason.len > 0);
	/* Nobody has the key that is pinned. */
	if (op->pinned)
		assert(answer->outcome != SSH_DONE);
	for (size_t i = 0; i < answer->reason.len; i++)
		play.now_ms += answer->reason.data[i] == '\0';
}

static void
on_end(void *ctx, const struct ssh_answer *answer)
{
	ends(ctx, answer);
}

static void
on_output(void *ctx, int stream, struct str bytes)
{
	struct begun *op = ctx;
	assert(!op->ended && !op->cancelled && !op->pinned);
	assert(stream == 1 || stream == 2);
	assert(bytes.len <= WIRE_PAYLOAD_MAX);
}

static void
on_writable(void *ctx)
{
	struct begun *op = ctx;
	assert(!op->ended && !op->cancelled);
}

static void
on_up(void *ctx, struct str fingerprint)
{
	struct begun *op = ctx;
	assert(!op->ended && !op->pinned && fingerprint.len > 0);
}

static void
on_down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	ends(ctx, &(struct ssh_answer){ .outcome = outcome == SSH_DONE ?
	    SSH_LOST : outcome, .reason = reason });
}

static void
on_rtt(void *ctx, int64_t us)
{
	(void)ctx, (void)us;
}

static void
on_forward(void *ctx, uint32_t id, bool ok, uint16_t port, struct str reason)
{
	struct begun *op = ctx;
	(void)port, (void)reason, (void)ok;
	assert(!op->ended && !op->pinned && id == 1);
}

static void
on_stats(void *ctx, uint32_t id, uint64_t connections, uint64_t bytes_in,
    uint64_t bytes_out)
{
	(void)ctx, (void)id, (void)connections, (void)bytes_in,
	    (void)bytes_out;
}

static const struct ssh_exec_calls exec_calls = { on_output, on_end,
	on_writable };
static const struct ssh_link_calls link_calls = { .up = on_up,
	.down = on_down, .rtt = on_rtt, .forward = on_forward,
	.stats = on_stats };

/* ------------------------------------------------------------- the play -- */

static void
begin_one(struct ssh *ssh, struct fuzz *in, struct begun *op,
    struct ssh_link **link)
{
	static const struct str pin = STR_INIT("SHA256:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	uint8_t what = fuzz_byte(in);
	struct ssh_target target = { .pod = STR("pod1"),
		.host = STR("127.0.0.1"), .port = 22,
		.start = what & 16 ? STR("later") : STR("now") };

	op->pinned = what & 8;
	play.pinned = op->pinned;
	if (op->pinned) {
		target.pod = STR("pinned");
		target.pins = &pin;
		target.npins = 1;
	}
	struct ssh_request request = { .task = SSH_RUN, .target = target,
		.name = STR("check 1"), .script = STR("true"),
		.timeout_ms = 5000, .max_output = 200 };
	switch (what % 4) {
	case 0:
		ssh_exec(ssh, &target, STR("ls"), &exec_calls, op);
		break;
	case 1:
		ssh_start_task(ssh, &request, on_end, op);
		break;
	case 2:
		request.task = what & 32 ? SSH_LOGIN : SSH_RUNNER_LOOK;
		request.runner.name = STR("trainer-1");
		ssh_start_task(ssh, &request, on_end, op);
		break;
	default:
		op->is_link = true;
		*link = ssh_link_open(ssh, &target, &link_calls, op);
		ssh_link_forward(*link, 1, &(struct tunnel_config){
			.direction = TUNNEL_REMOTE,
			.remote_host = STR("localhost"), .remote_port = 80,
			.local_address = STR("127.0.0.1") }, -1);
	}
}

/* What podform says to its worker: nothing much before it trusts it. */
static void
listen_in(char *buffer)
{
	struct wire message;

	while (play.worker != -1 &&
	    wire_receive(play.worker, buffer, &message) == 1) {
		if (message.fd != -1)
			close(message.fd);
		assert(message.type >= WIRE_LOGIN &&
		    message.type < WIRE_HOST_KEY);
		/* Signed by nothing, since there is no key. */
		if (message.type == WIRE_SIGNATURE)
			assert(message.size == 0);
	}
}

static void
worker_says(struct fuzz *in, char *buffer)
{
	static const struct str key = STR_INIT("\0\0\0\x0bssh-ed25519\0\0\0"
	    "\x20kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk\0curve25519, aes");
	uint8_t type = fuzz_byte(in), number = fuzz_byte(in);
	struct wire message = { .fd = -1, .channel = number % 8,
		.type = WIRE_HOST_KEY + type % (WIRE_TYPE_COUNT -
		    WIRE_HOST_KEY) };

	if (type >= 250)
		message.type = type % 32;
	message.a = number / 8 % 4;
	if (number >= 128)
		message.a = fuzz_number(in);
	message.b = message.a;
	struct str payload = fuzz_str(in, 255);
	if (message.type == WIRE_HOST_KEY && payload.len == 0) {
		payload = key;
		message.a = 51;
	}
	/* Many bytes at once, now and then. */
	size_t times = type % 64 == 63 ? 100 : 1, n = 0;
	for (size_t i = 0; i < times && n + payload.len <= WIRE_PAYLOAD_MAX;
	    i++, n += payload.len)
		if (payload.len > 0)
			memcpy(buffer + n, payload.data, payload.len);
	message.payload = buffer;
	message.size = n;
	if (play.worker != -1)
		(void)wire_send(play.worker, &message);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char buffer[WIRE_PAYLOAD_MAX + 1];
	struct clock clock = { .mono_ms = mono_ms, .boot_ms = mono_ms,
		.wall_ms = mono_ms };
	struct ssh_config config = { .worker = "none", .clock = &clock };
	struct ssh_link *links[OPS_MAX] = { NULL };
	struct fuzz in = { data, size };
	size_t nops;

	memset(&play, 0, sizeof play);
	play.worker = -1;
	struct ssh *ssh = ssh_new(&config);
	nops = 1 + fuzz_below(&in, OPS_MAX);
	for (size_t i = 0; i < nops; i++)
		begin_one(ssh, &in, &play.ops[i], &links[i]);
	for (int i = 0; i < 4; i++)
		ssh_turn(ssh);
	while (in.left > 0) {
		uint8_t what = fuzz_byte(&in);
		listen_in(buffer);
		if (what % 16 == 15)
			play.now_ms += 1000 * (what / 16);
		else if (what == 14 && play.worker != -1) {
			close(play.worker);
			play.worker = -1;
		} else {
			worker_says(&in, buffer);
		}
		ssh_turn(ssh);
	}
	for (size_t i = 0; i < nops; i++) {
		if (links[i] != NULL)
			ssh_link_close(links[i]);
		play.ops[i].cancelled = !play.ops[i].ended;
	}
	ssh_free(ssh);
	if (play.worker != -1)
		close(play.worker);
	return 0;
}
