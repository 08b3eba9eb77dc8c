/*
 * test_ssh_worker.c - podform's side of SSH and a worker that was taken over.
 *
 * The worker is this very program: started as podform-ssh it says what a row
 * of the table says, whose number is the user's name.  What it says is checked
 * like any other input: nothing of it may be believed that does not fit.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_world.h"
#include "ssh/session.h"
#include "ssh/wire.h"
#include "tests/unit/shell.h"

/* ----------------------------------------------------------- its scripts ---- */

enum { STEPS = 14 };
enum how { END, HEAR, SAY, SAY_ELSEWHERE, SAY_WITH_FD, RAW, LEAVE };

struct step {
	enum how how;
	enum wire_type type;
	int64_t a, b;
	const char *payload;
	size_t size;			/* 0: of the text */
};

#define BLOB "\0\0\0\x0bssh-ed25519\0\0\0\x20" \
	"0123456789abcdef0123456789abcdef"
#define KEY_A(n) { SAY, WIRE_HOST_KEY, (n), 0, BLOB "\0methods", 59 }
#define KEY KEY_A(51)
#define TEXT(type, a, text) { SAY, type, (a), 0, (text), 0 }
#define LEAVES { LEAVE, (enum wire_type)0, 0, 0, NULL, 0 }
#define HEARS(type) { HEAR, type, 0, 0, NULL, 0 }
#define UP KEY, HEARS(WIRE_TRUST), HEARS(WIRE_IDENTITY), \
	{ SAY, WIRE_UP, 0, 0, NULL, 0 }
#define DIGEST "01234567890123456789012345678901"
/* What a pod has there: nothing, and then what was copied. */
#define PUTS HEARS(WIRE_STAT), TEXT(WIRE_FAILED, WIRE_FAIL_MISSING, "no"), \
	HEARS(WIRE_PUT)

enum ask { LOGIN, EXEC, LINK, REMOTE_LINK, COPY_TO, COPY_FROM };

static const struct row {
	enum ask ask;
	const char *want;
	struct step steps[STEPS];
} rows[] = {
	/* ----- what is no message ----- */
	{ LOGIN, "unreachable: the SSH worker has ended", { LEAVES } },
	{ LOGIN, "unreachable: the SSH worker has ended",
	  { { RAW, (enum wire_type)0, 0, 0, "short", 5 } } },
	{ LOGIN, "unreachable: the SSH worker has ended",
	  { TEXT(WIRE_TYPE_COUNT, 0, "") } },
	{ LOGIN, "unreachable: the SSH worker has ended",
	  { TEXT((enum wire_type)0, 0, "") } },
	/* ----- before the key ----- */
	{ LOGIN, "unusable: no host key came", { KEY_A(15) } },
	{ LOGIN, "unusable: no host key came", { KEY_A(60) } },
	{ LOGIN, "unusable: no host key came", { KEY_A(20000) } },
	{ LOGIN, "unusable: no host key came", { KEY_A(-1) } },
	{ LOGIN, "unusable: the worker does not keep to its protocol",
	  { TEXT(WIRE_UP, 0, "") } },
	{ LOGIN, "unusable: the worker does not keep to its protocol",
	  { TEXT(WIRE_SIGN, 0, "x") } },
	{ LOGIN, "unusable: the worker does not keep to its protocol",
	  { TEXT(WIRE_REJECTED, 0, "") } },
	{ LOGIN, "unusable: the worker does not keep to its protocol",
	  { TEXT(WIRE_OUT, 1, "x") } },
	/* ----- why it is down ----- */
	{ LOGIN, "unreachable: slow",
	  { TEXT(WIRE_DOWN, WIRE_FAIL_BANNER, "slow") } },
	{ LOGIN, "unusable: odd", { TEXT(WIRE_DOWN, WIRE_FAIL_KEX, "odd") } },
	{ LOGIN, "unusable: odd",
	  { TEXT(WIRE_DOWN, WIRE_FAIL_PROTOCOL, "odd") } },
	{ LOGIN, "denied: no", { TEXT(WIRE_DOWN, WIRE_FAIL_AUTH, "no") } },
	{ LOGIN, "local: full", { TEXT(WIRE_DOWN, WIRE_FAIL_LOCAL, "full") } },
	{ LOGIN, "unreachable: late",
	  { TEXT(WIRE_DOWN, WIRE_FAIL_TIMEOUT, "late") } },
	{ LOGIN, "unreachable: what", { TEXT(WIRE_DOWN, 99, "what") } },
	{ LOGIN, "unreachable: the connection is lost",
	  { TEXT(WIRE_DOWN, WIRE_FAIL_BANNER, "") } },
	{ LOGIN, "unreachable: gone", { KEY, HEARS(WIRE_TRUST),
	  TEXT(WIRE_DOWN, WIRE_FAIL_LOST, "gone") } },
	/* ----- keys ----- */
	{ LOGIN, "unusable: the worker wanted something signed that is no "
	  "login", { KEY, HEARS(WIRE_IDENTITY),
	  TEXT(WIRE_SIGN, 0, "a letter of credit") } },
	{ LOGIN, "denied: no key is accepted for user '22': the project's key",
	  { KEY, HEARS(WIRE_IDENTITY), TEXT(WIRE_REJECTED, 0, "") } },
	{ LOGIN, "unusable: the worker does not keep to its protocol",
	  { KEY, HEARS(WIRE_IDENTITY), KEY } },
	{ LOGIN, "done 0", { UP } },
	/* ----- a command ----- */
	{ EXEC, "1:abc 2:err 1:odd done 7", { UP, HEARS(WIRE_EXEC),
	  TEXT(WIRE_OUT, 1, "abc"), TEXT(WIRE_OUT, 2, "err"),
	  TEXT(WIRE_OUT, 9, "odd"), TEXT(WIRE_EXIT, 7, "") } },
	{ EXEC, "done -1: TERM",
	  { UP, HEARS(WIRE_EXEC), TEXT(WIRE_EXIT, -1, "TERM") } },
	{ EXEC, "done -1",
	  { UP, HEARS(WIRE_EXEC), TEXT(WIRE_EXIT, 256, "") } },
	{ EXEC, "done -1",
	  { UP, HEARS(WIRE_EXEC), TEXT(WIRE_EXIT, INT64_MIN, "") } },
	{ EXEC, "unusable: no", { UP, HEARS(WIRE_EXEC),
	  TEXT(WIRE_FAILED, WIRE_FAIL_REFUSED, "no") } },
	{ EXEC, "local: no", { UP, HEARS(WIRE_EXEC),
	  TEXT(WIRE_FAILED, WIRE_FAIL_LOCAL, "no") } },
	{ EXEC, "lost: no", { UP, HEARS(WIRE_EXEC),
	  TEXT(WIRE_FAILED, WIRE_FAIL_TIMEOUT, "no") } },
	{ EXEC, "lost: the SSH worker does not say why",
	  { UP, HEARS(WIRE_EXEC), TEXT(WIRE_FAILED, 0, "") } },
	{ EXEC, "lost: gone", { UP, HEARS(WIRE_EXEC),
	  TEXT(WIRE_DOWN, WIRE_FAIL_AUTH, "gone") } },
	{ EXEC, "lost: the SSH worker has ended",
	  { UP, HEARS(WIRE_EXEC), LEAVES } },
	/* What is for nobody, or means nothing, changes nothing. */
	{ EXEC, "done 0", { UP, HEARS(WIRE_EXEC),
	  { SAY_ELSEWHERE, WIRE_EXIT, 9, 0, NULL, 0 },
	  TEXT(WIRE_ENTRY, 0, "x"), TEXT(WIRE_TAKEN, -1, ""),
	  TEXT(WIRE_TAKEN, INT64_MAX, ""), TEXT(WIRE_RTT, 0, ""),
	  { SAY_WITH_FD, WIRE_PROGRESS, 0, 0, NULL, 0 },
	  TEXT(WIRE_EXIT, 0, "") } },
	/* ----- tunnels ----- */
	{ LINK, "up listens:4000 stats:1 rtt:77 down lost: over", { UP,
	  HEARS(WIRE_FORWARD), TEXT(WIRE_LISTENING, 4000, ""),
	  TEXT(WIRE_WANT_CONNECT, 1, ""), HEARS(WIRE_CONNECTED),
	  TEXT(WIRE_STATS, 1, ""), { SAY, WIRE_RTT, 0, 77, NULL, 0 },
	  TEXT(WIRE_ENTRY, 0, ""), TEXT(WIRE_DOWN, 0, "over") } },
	{ LINK, "up failed:no down lost: over", { UP, HEARS(WIRE_FORWARD),
	  TEXT(WIRE_FAILED, 0, "no"), TEXT(WIRE_LISTENING, 1, ""),
	  TEXT(WIRE_DOWN, 0, "over") } },
	{ LINK, "down unusable: odd",
	  { TEXT(WIRE_DOWN, WIRE_FAIL_KEX, "odd") } },
	/* Nobody is there to be connected to, and that is told. */
	{ REMOTE_LINK, "up down lost: over", { UP, HEARS(WIRE_FORWARD),
	  TEXT(WIRE_WANT_CONNECT, 1, ""), HEARS(WIRE_CONNECTED),
	  TEXT(WIRE_DOWN, 0, "over") } },
	/* ----- a file to the pod ----- */
	{ COPY_TO, "done 1: there: no", { UP, HEARS(WIRE_STAT),
	  TEXT(WIRE_FAILED, WIRE_FAIL_REFUSED, "no") } },
	{ COPY_TO, "lost: there: failed", { UP, HEARS(WIRE_STAT),
	  TEXT(WIRE_FAILED, WIRE_FAIL_TIMEOUT, "") } },
	{ COPY_TO, "local: HERE changed while it was copied", { UP, PUTS,
	  { SAY, WIRE_DONE, 0, 5, "short", 5 }, HEARS(WIRE_REMOVE),
	  TEXT(WIRE_DONE, 0, "") } },
	{ COPY_TO, "local: HERE changed while it was copied", { UP, PUTS,
	  { SAY, WIRE_DONE, 0, 4, DIGEST, 32 }, HEARS(WIRE_REMOVE),
	  TEXT(WIRE_FAILED, 0, "") } },
	{ COPY_TO, "local: HERE: no", { UP, PUTS,
	  TEXT(WIRE_FAILED, WIRE_FAIL_LOCAL, "no"), HEARS(WIRE_REMOVE),
	  LEAVES } },
	{ COPY_TO, "lost: the SSH worker has ended",
	  { UP, PUTS, LEAVES } },
	{ COPY_TO, "done 1: the copy differs from its source: bad", { UP, PUTS,
	  { SAY, WIRE_DONE, 0, 5, DIGEST, 32 }, HEARS(WIRE_RENAME),
	  TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_EXEC),
	  TEXT(WIRE_OUT, 1, "bad\n"), TEXT(WIRE_EXIT, 1, "") } },
	{ COPY_TO, "done 0", { UP, PUTS, TEXT(WIRE_ENTRY, 0, "x"),
	  { SAY, WIRE_DONE, 0, 5, DIGEST, 32 }, HEARS(WIRE_RENAME),
	  TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_EXEC),
	  TEXT(WIRE_EXIT, 0, "") } },
	{ COPY_TO, "done 0 (the pod has no sha256sum: verified by size alone)",
	  { UP, PUTS, { SAY, WIRE_DONE, 0, 5, DIGEST, 32 },
	  HEARS(WIRE_RENAME), TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_EXEC),
	  TEXT(WIRE_EXIT, 127, "") } },
	{ COPY_TO, "lost: gone", { UP, PUTS,
	  { SAY, WIRE_DONE, 0, 5, DIGEST, 32 }, HEARS(WIRE_RENAME),
	  TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_EXEC),
	  TEXT(WIRE_FAILED, WIRE_FAIL_LOST, "gone") } },
	/* ----- a file from the pod ----- */
	{ COPY_FROM, "done 1: there on the pod is neither a file nor a "
	  "directory", { UP, HEARS(WIRE_STAT), { SAY, WIRE_ENTRY, 0120777, 5,
	  "x", 1 }, TEXT(WIRE_DONE, 0, "") } },
	{ COPY_FROM, "done 1: there changed while it was copied", { UP,
	  HEARS(WIRE_STAT), { SAY, WIRE_ENTRY, 0100644, 5, "x", 1 },
	  TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_GET),
	  { SAY, WIRE_DONE, 0, 4, DIGEST, 32 } } },
	{ COPY_FROM, "done 1: there changed while it was copied", { UP,
	  HEARS(WIRE_STAT), { SAY, WIRE_ENTRY, 0100644, 5, "x", 1 },
	  TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_GET),
	  { SAY, WIRE_DONE, 0, 5, DIGEST "x", 33 } } },
	{ COPY_FROM, "lost: there: gone", { UP, HEARS(WIRE_STAT),
	  { SAY, WIRE_ENTRY, 040755, 0, "x", 1 }, TEXT(WIRE_DONE, 0, ""),
	  HEARS(WIRE_LIST), TEXT(WIRE_ENTRY, 0100644, "ok"),
	  TEXT(WIRE_FAILED, WIRE_FAIL_LOST, "gone") } },
	{ COPY_FROM, "done 0 (left out: there/../x has a name that no file may "
	  "have, left out: there/a/b has a name that no file may have, "
	  "left out: there/l is a link, "
	  "left out: there/s is neither a file nor a directory)",
	  { UP, HEARS(WIRE_STAT), { SAY, WIRE_ENTRY, 040755, 0, "x", 1 },
	  TEXT(WIRE_DONE, 0, ""), HEARS(WIRE_LIST),
	  TEXT(WIRE_ENTRY, 0100644, "../x"), TEXT(WIRE_ENTRY, 0100644, "a/b"),
	  TEXT(WIRE_ENTRY, 0120777, "l"), TEXT(WIRE_ENTRY, 0140777, "s"),
	  TEXT(WIRE_DONE, 0, "") } },
};

/* ----------------------------------------------------------- the worker ---- */

static char buffer[WIRE_PAYLOAD_MAX + 1];

/* The next message; ends when podform has gone. */
static struct wire
next_message(int fd)
{
	struct wire message;

	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		poll(&ready, 1, 10000);
		int got = wire_receive(fd, buffer, &message);
		if (got == 1)
			return message;
		if (got != -EAGAIN)
			_exit(0);
	}
}

static void
play(int wire)
{
	struct wire message = next_message(wire);
	const struct row *row = &rows[strtoll(message.payload, NULL, 10)];
	uint32_t channel = 0;

	if (message.type != WIRE_LOGIN || message.fd < 0)
		_exit(1);
	for (const struct step *step = row->steps; step->how != END; step++) {
		if (step->how == HEAR) {
			do
				message = next_message(wire);
			while (message.type != step->type);
			channel = message.channel;
			continue;
		}
		if (step->how == LEAVE)
			_exit(0);
		if (step->how == RAW) {
			send(wire, step->payload, step->size, 0);
			continue;
		}
		wire_send(wire, &(struct wire){ .type = step->type,
		    .channel = step->how == SAY_ELSEWHERE ? 4711 : channel,
		    .a = step->a, .b = step->b, .payload = step->payload,
		    .size = step->size > 0 ? step->size :
		    step->payload != NULL ? strlen(step->payload) : 0,
		    .fd = step->how == SAY_WITH_FD ? 1 : -1 });
	}
	for (;;)
		next_message(wire);
}

static _Noreturn void
be_worker(void)
{
	for (;;) {
		struct wire message = next_message(3);
		if (message.type == WIRE_SPAWN && fork() == 0)
			play(message.fd);
		close(message.fd);
	}
}

/* -------------------------------------------------------------- our side ---- */

struct bench {
	struct arena arena;
	const char *directory, *here;
	struct fs fs;
	struct chance chance;
	struct clock clock;
	struct ssh_keys *keys;
	struct ssh *ssh;
	int listener;
	uint16_t port;
	struct strbuf told;
	bool over;
};

static struct bench bench;

static const char *const outcomes[] = {
	[SSH_DONE] = "done", [SSH_UNREACHABLE] = "unreachable",
	[SSH_DENIED] = "denied", [SSH_WRONG_HOST_KEY] = "wrong key",
	[SSH_UNUSABLE] = "unusable", [SSH_LOST] = "lost",
	[SSH_LOCAL] = "local", [SSH_TIMED_OUT] = "timed out",
};

static void
tell_end(enum ssh_outcome outcome, int status, struct str reason,
    struct str output)
{
	strbuf_adds(&bench.told, outcomes[outcome]);
	if (outcome == SSH_DONE)
		strbuf_addf(&bench.told, " %d", status);
	if (reason.len > 0)
		strbuf_addf(&bench.told, ": " STR_FMT, STR_ARG(reason));
	if (output.len > 0) {
		strbuf_adds(&bench.told, " (");
		output = str_trim(output);
		for (size_t i = 0; i < output.len; i++)
			if (output.data[i] == '\n')
				strbuf_adds(&bench.told, ", ");
			else
				strbuf_addc(&bench.told, output.data[i]);
		strbuf_addc(&bench.told, ')');
	}
	bench.over = true;
}

static void
done(void *ctx, const struct ssh_answer *answer)
{
	(void)ctx;
	tell_end(answer->outcome, answer->status, answer->reason,
	    answer->output);
}

static void
output(void *ctx, int stream, struct str bytes)
{
	(void)ctx;
	strbuf_addf(&bench.told, "%d:" STR_FMT " ", stream, STR_ARG(bytes));
}

static void
link_up(void *ctx, struct str fingerprint)
{
	(void)ctx;
	assert_true(str_starts(fingerprint, STR("SHA256:")));
	strbuf_adds(&bench.told, "up ");
}

static void
link_down(void *ctx, enum ssh_outcome outcome, struct str reason)
{
	(void)ctx;
	strbuf_adds(&bench.told, "down ");
	tell_end(outcome, 0, reason, (struct str){0});
}

static void
link_rtt(void *ctx, int64_t us)
{
	(void)ctx;
	strbuf_addf(&bench.told, "rtt:%d ", (int)us);
}

static void
link_forward(void *ctx, uint32_t id, bool ok, uint16_t port,
    struct str reason)
{
	(void)ctx;
	assert_int_equal(id, 5);
	if (ok)
		strbuf_addf(&bench.told, "listens:%u ", port);
	else
		strbuf_addf(&bench.told, "failed:" STR_FMT " ",
		    STR_ARG(reason));
}

static void
link_stats(void *ctx, uint32_t id, uint64_t connections, uint64_t bytes_in,
    uint64_t bytes_out)
{
	(void)ctx;
	(void)bytes_in;
	(void)bytes_out;
	assert_int_equal(id, 5);
	strbuf_addf(&bench.told, "stats:%d ", (int)connections);
}

static const struct ssh_exec_calls exec_calls = {
	.output = output, .end = done,
};
static const struct ssh_copy_calls copy_calls = { .end = done };
static const struct ssh_link_calls link_calls = {
	.up = link_up, .down = link_down, .rtt = link_rtt,
	.forward = link_forward, .stats = link_stats,
};

static void
turn_until_over(int row)
{
	int64_t until = bench.clock.mono_ms(bench.clock.ctx) + 8000;

	while (!bench.over) {
		int64_t now = bench.clock.mono_ms(bench.clock.ctx);
		int64_t next = ssh_next_ms(bench.ssh);
		struct pollfd ready = {
			.fd = ssh_fd(bench.ssh), .events = POLLIN,
		};
		if (now > until)
			fail_msg("row %d does not end: %.*s", row,
			    (int)bench.told.len, bench.told.data);
		poll(&ready, 1, next < 0 || next - now > 100 ? 100 :
		    next < now ? 0 : (int)(next - now));
		ssh_turn(bench.ssh);
	}
}

static void
start(const struct row *row, const struct ssh_target *target)
{
	struct tunnel_config config = {
		.address = STR("tunnel.t"), .direction = TUNNEL_LOCAL,
		.remote_port = 80,
	};
	struct ssh_request login = {
		.task = SSH_LOGIN, .target = *target, .timeout_ms = 8000,
	};

	switch (row->ask) {
	case LOGIN:
		ssh_start_task(bench.ssh, &login, done, NULL);
		break;
	case EXEC:
		ssh_exec(bench.ssh, target, STR("true"), &exec_calls, NULL);
		break;
	case REMOTE_LINK:
		config.direction = TUNNEL_REMOTE;
		config.local_address = arena_printf(&bench.arena, "%s/none",
		    bench.directory);
		/* FALLTHROUGH */
	case LINK:
		ssh_link_forward(ssh_link_open(bench.ssh, target, &link_calls,
		    NULL), 5, &config, -1);
		break;
	case COPY_TO:
		ssh_copy_to(bench.ssh, target, str_from(bench.here),
		    STR("there"), &copy_calls, NULL);
		break;
	case COPY_FROM:
		ssh_copy_from(bench.ssh, target, STR("there"), arena_printf(
		    &bench.arena, "%s/new", bench.directory), &copy_calls,
		    NULL);
		break;
	}
}

static size_t
descriptors(void)
{
	DIR *all = opendir("/proc/self/fd");
	size_t n = 0;

	while (readdir(all) != NULL)
		n++;
	closedir(all);
	return n;
}

static int
setup(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	struct str why;

	(void)state;
	bench.directory = shell_directory(&bench.arena);
	bench.here = arena_printf(&bench.arena, "%s/here", bench.directory)
	    .data;
	shell_write(bench.here, STR("12345"), 0644);
	bench.fs = io_fs();
	bench.chance = io_chance();
	bench.clock = io_clock();
	bench.keys = ssh_keys_new(&(struct ssh_keys_config){
	    .fs = &bench.fs, .chance = &bench.chance,
	    .directory = arena_printf(&bench.arena, "%s/keys",
		bench.directory) });
	assert_true(ssh_keys_make(bench.keys, &why));
	bench.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(bench.listener, (void *)&address, len), 0);
	assert_int_equal(listen(bench.listener, 128), 0);
	getsockname(bench.listener, (void *)&address, &len);
	bench.port = ntohs(address.sin_port);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	close(bench.listener);
	ssh_keys_free(bench.keys);
	shell_remove(bench.directory);
	strbuf_release(&bench.told);
	arena_release(&bench.arena);
	return 0;
}

static void
test_ssh_worker_is_believed_what_fits_and_no_more(void **state)
{
	(void)state;
	size_t before = descriptors();

	for (int i = 0; i < (int)COUNTOF(rows); i++) {
		struct ssh_target target = {
			.pod = STR("one"), .host = STR("127.0.0.1"),
			.port = bench.port,
			.user = arena_printf(&bench.arena, "%d", i),
		};
		bench.ssh = ssh_new(&(struct ssh_config){
		    .worker = "/proc/self/exe", .clock = &bench.clock,
		    .keys = bench.keys, .idle_ms = 1 });
		strbuf_reset(&bench.told);
		bench.over = false;
		start(&rows[i], &target);
		turn_until_over(i);
		ssh_free(bench.ssh);
		/* The name of a file is another one each time. */
		struct str told = strbuf_str(&bench.told), rest;
		ptrdiff_t at = str_search(told, str_from(bench.here));
		if (at >= 0) {
			rest = str_sub(told, (size_t)at + strlen(bench.here),
			    told.len);
			told = arena_printf(&bench.arena, STR_FMT "HERE"
			    STR_FMT, STR_ARG(str_sub(told, 0, (size_t)at)),
			    STR_ARG(rest));
		}
		if (!str_is(told, rows[i].want))
			fail_msg("row %d: '%.*s', not '%s'", i, (int)told.len,
			    told.data, rows[i].want);
		/* Nothing of it is left, on this side or half-way. */
		shell_ok(&bench.arena, bench.directory, "rm -rf new; "
		    "[ \"$(echo *)\" = 'here keys' ]");
	}
	assert_int_equal(descriptors(), before);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_ssh_worker_is_believed_what_fits_and_no_more),
	};
	if (argc > 0 && strcmp(argv[0], "podform-ssh") == 0)
		be_worker();
	return cmocka_run_group_tests(tests, setup, teardown);
}
