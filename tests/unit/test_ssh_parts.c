/*
 * test_ssh_parts.c - what pkg/ssh reads from sockets of this machine: packets
 * of a worker, answers of an agent; by tables of what may be sent there.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ssh/agent.h"
#include "ssh/blob.h"
#include "ssh/wire.h"
#include "tests/unit/shell.h"

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

/* ------------------------------------------------------------------ wire ---- */

struct head {
	uint32_t type, channel;
	int64_t a, b, c;
};
_Static_assert(sizeof(struct head) == WIRE_HEAD, "as on the wire");

/* One packet with so many descriptors. */
static void
send_packet(int fd, const void *bytes, size_t size, size_t nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control = {0};
	struct iovec part = { (void *)(uintptr_t)bytes, size };
	struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };

	if (nfds > 0) {
		struct cmsghdr *head;
		packet.msg_control = control.bytes;
		packet.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		head = CMSG_FIRSTHDR(&packet);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		for (size_t i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(head) + i * sizeof(int), &fd,
			    sizeof fd);
	}
	assert_int_equal(sendmsg(fd, &packet, 0), (ssize_t)size);
}

static void
test_ssh_wire_takes_messages_and_nothing_else(void **state)
{
	static const struct {
		uint32_t type;
		size_t size, nfds;
		int result;
	} cases[] = {
		{ WIRE_OUT, WIRE_HEAD, 0, 1 },
		{ WIRE_OUT, WIRE_HEAD + 1, 0, 1 },
		{ WIRE_OUT, WIRE_HEAD + WIRE_PAYLOAD_MAX, 0, 1 },
		{ WIRE_OUT, WIRE_HEAD + WIRE_PAYLOAD_MAX + 1, 0, -EPROTO },
		{ WIRE_OUT, WIRE_HEAD - 1, 0, -EPROTO },
		{ WIRE_OUT, 1, 0, -EPROTO },
		{ WIRE_OUT, 1, 1, -EPROTO },
		{ WIRE_OUT, WIRE_HEAD, 1, 1 },
		{ WIRE_OUT, WIRE_HEAD, 2, -EPROTO },
		{ WIRE_OUT, WIRE_HEAD, 8, -EPROTO },
		{ 0, WIRE_HEAD, 0, -EPROTO },
		{ WIRE_SPAWN, WIRE_HEAD, 0, 1 },
		{ WIRE_DOWN, WIRE_HEAD, 0, 1 },
		{ WIRE_TYPE_COUNT, WIRE_HEAD, 0, -EPROTO },
		{ UINT32_MAX, WIRE_HEAD, 1, -EPROTO },
	};
	static char bytes[WIRE_HEAD + WIRE_PAYLOAD_MAX + 1];
	static char buffer[WIRE_PAYLOAD_MAX + 1];
	int pair[2];
	(void)state;

	assert_int_equal(wire_pair(pair), 0);
	size_t before = descriptors();
	struct wire message;
	assert_int_equal(wire_receive(pair[0], buffer, &message), -EAGAIN);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct head head = { cases[i].type, 7, 1, 2, 3 };
		memset(bytes, 'x', sizeof bytes);
		memcpy(bytes, &head, sizeof head);
		memset(buffer, '?', sizeof buffer);
		send_packet(pair[1], bytes, cases[i].size, cases[i].nfds);
		int result = wire_receive(pair[0], buffer, &message);
		if (result != cases[i].result)
			fail_msg("%zu: %d", i, result);
		if (result == 1) {
			assert_int_equal(message.type, cases[i].type);
			assert_int_equal(message.channel, 7);
			assert_int_equal(message.c, 3);
			assert_int_equal(message.size,
			    cases[i].size - WIRE_HEAD);
			/* A text for who takes it for one. */
			assert_int_equal(buffer[message.size], '\0');
			assert_int_equal(message.fd >= 0, cases[i].nfds == 1);
			if (message.fd >= 0)
				close(message.fd);
		}
		if (descriptors() != before)
			fail_msg("%zu leaves a descriptor", i);
	}
	/* Too long to be sent; and nobody there. */
	message = (struct wire){ .type = WIRE_OUT, .payload = bytes,
		.size = WIRE_PAYLOAD_MAX + 1, .fd = -1 };
	assert_int_equal(wire_send(pair[0], &message), -EMSGSIZE);
	message.size = 1;
	for (int i = 0; i < 10000; i++) {
		int result = wire_send(pair[0], &message);
		assert_true(result == 0 || result == -EAGAIN);
		if (result == -EAGAIN)
			break;
		assert_true(i < 9999);
	}
	close(pair[1]);
	/* The first time it is told what was lost. */
	assert_int_equal(wire_send(pair[0], &message), -ECONNRESET);
	assert_int_equal(wire_send(pair[0], &message), -EPIPE);
	assert_int_equal(wire_receive(pair[0], buffer, &message), 0);
	close(pair[0]);
}

/* ----------------------------------------------------------------- agents ---- */

/* Answers each request with these bytes, in pieces of so many; then it hangs
 * up, or waits until the other does. */
struct agent {
	int listener;
	struct str says;
	size_t piece;
	bool holds;
	pthread_t thread;
};

static void *
serve(void *ctx)
{
	struct agent *agent = ctx;
	char request[4096];
	int fd = accept(agent->listener, NULL, NULL);

	if (fd < 0)
		return NULL;
	recv(fd, request, sizeof request, 0);
	for (size_t at = 0; at < agent->says.len;) {
		struct str part = str_sub(agent->says, at, agent->piece > 0 ?
		    agent->piece : agent->says.len);
		if (send(fd, part.data, part.len, MSG_NOSIGNAL) < 0)
			break;
		at += part.len;
		if (agent->piece > 0)
			usleep(2000);
	}
	while (agent->holds && recv(fd, request, sizeof request, 0) > 0)
		;
	close(fd);
	return NULL;
}

struct bench {
	struct arena arena;
	const char *directory;
	struct str socket;
};

static void
agent_begin(struct bench *bench, struct agent *agent)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	agent->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memcpy(address.sun_path, bench->socket.data, bench->socket.len);
	unlink(bench->socket.data);
	assert_int_equal(bind(agent->listener, (void *)&address,
	    sizeof address), 0);
	assert_int_equal(listen(agent->listener, 4), 0);
	pthread_create(&agent->thread, NULL, serve, agent);
}

static void
agent_end(struct agent *agent)
{
	shutdown(agent->listener, SHUT_RDWR);
	pthread_join(agent->thread, NULL);
	close(agent->listener);
}

static int
setup(void **state)
{
	static struct bench bench;
	bench.directory = shell_directory(&bench.arena);
	bench.socket = arena_printf(&bench.arena, "%s/agent",
	    bench.directory);
	*state = &bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	shell_remove(bench->directory);
	arena_release(&bench->arena);
	return 0;
}

#define BYTES(text) { (text), sizeof(text) - 1 }
#define KEY "\0\0\0\x01k\0\0\0\x01" "c"

static void
test_ssh_agent_is_read_strictly(void **state)
{
	static const struct {
		struct str says;
		size_t piece;
		bool holds;
		const char *why;	/* NULL: an answer came */
		int keys;		/* -1: which is none */
	} cases[] = {
		{ BYTES("\0\0\0\x05\x0c\0\0\0\0"), 0, true, NULL, 0 },
		{ BYTES("\0\0\0\x0f\x0c\0\0\0\x01" KEY), 0, true, NULL, 1 },
		{ BYTES("\0\0\0\x0f\x0c\0\0\0\x01" KEY), 1, true, NULL, 1 },
		{ BYTES("\0\0\0\x19\x0c\0\0\0\x02" KEY KEY), 3, true, NULL,
		  2 },
		/* More was promised, or of another kind. */
		{ BYTES("\0\0\0\x0f\x0c\0\0\0\x02" KEY), 0, true, NULL, -1 },
		{ BYTES("\0\0\0\x0f\x0c\xff\xff\xff\xff" KEY), 0, true, NULL,
		  -1 },
		{ BYTES("\0\0\0\x01\x05"), 0, true, NULL, -1 },
		{ BYTES("\0\0\0\x01\x0c"), 0, true, NULL, -1 },
		{ BYTES("\0\0\0\0"), 0, true, NULL, -1 },
		{ BYTES("\0\0\0\x05\x0d\0\0\0\0"), 0, true, NULL, -1 },
		/* It hangs up, is silent, or does not come to an end. */
		{ BYTES(""), 0, false, "it hung up", 0 },
		{ BYTES("\0\0"), 0, false, "it hung up", 0 },
		{ BYTES("\0\0\0\x0f\x0c\0\0"), 0, false, "it hung up", 0 },
		{ BYTES("\0\0\0\x0f\x0c\0\0"), 0, true, "it does not answer",
		  0 },
		{ BYTES("\0\x04\0\x01\x0c"), 0, true,
		  "its answer is too long", 0 },
		{ BYTES("\xff\xff\xff\xff\x0c"), 0, true,
		  "its answer is too long", 0 },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct agent agent = { .says = cases[i].says,
			.piece = cases[i].piece, .holds = cases[i].holds };
		struct agent_key *keys;
		size_t n;
		agent_begin(bench, &agent);
		struct agent_op *op = agent_op_list(bench->socket);
		bool done = agent_op_finish(op, 300);
		if (done != (cases[i].why == NULL))
			fail_msg("%zu: %s", i, agent_op_why(op));
		if (!done) {
			assert_string_equal(agent_op_why(op), cases[i].why);
			assert_int_equal(agent_op_fd(op), -1);
			assert_int_equal(agent_op_step(op), AGENT_FAILED);
		} else if (agent_op_keys(op, &bench->arena, &keys, &n)) {
			if (cases[i].keys != (int)n)
				fail_msg("%zu: %zu keys", i, n);
			for (size_t k = 0; k < n; k++)
				assert_true(str_is(keys[k].comment, "c"));
		} else if (cases[i].keys != -1)
			fail_msg("%zu: no keys", i);
		agent_op_free(op);
		agent_end(&agent);
	}
	agent_op_free(NULL);
}

static void
test_ssh_agent_gives_no_more_keys_than_anybody_has(void **state)
{
	struct bench *bench = *state;
	struct strbuf body = {0}, all = {0};
	struct agent_key *keys;
	size_t n;

	blob_put_u8(&body, 12);
	blob_put_u32(&body, 100);
	for (int i = 0; i < 100; i++)
		strbuf_add(&body, (struct str)BYTES(KEY));
	blob_put_string(&all, strbuf_str(&body));
	struct agent agent = { .says = strbuf_str(&all), .holds = true };
	agent_begin(bench, &agent);
	struct agent_op *op = agent_op_list(bench->socket);
	assert_true(agent_op_finish(op, 3000));
	assert_true(agent_op_keys(op, &bench->arena, &keys, &n));
	assert_int_equal(n, 64);
	agent_op_free(op);
	agent_end(&agent);
	strbuf_release(&body);
	strbuf_release(&all);
}

static void
test_ssh_agent_signs_with_a_signature_alone(void **state)
{
	static const struct {
		struct str says;
		const char *signature;	/* NULL: none */
	} cases[] = {
		{ BYTES("\0\0\0\x08\x0e\0\0\0\x03sig"), "sig" },
		{ BYTES("\0\0\0\x09\x0e\0\0\0\x03sig!"), NULL },
		{ BYTES("\0\0\0\x07\x0e\0\0\0\x03si"), NULL },
		{ BYTES("\0\0\0\x01\x05"), NULL },
		{ BYTES("\0\0\0\x08\x0c\0\0\0\x03sig"), NULL },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct agent agent = { .says = cases[i].says, .holds = true };
		struct str signature = {0};
		agent_begin(bench, &agent);
		struct agent_op *op = agent_op_sign(bench->socket, STR("key"),
		    STR("data"));
		assert_true(agent_op_finish(op, 3000));
		bool ok = agent_op_signature(op, &bench->arena, &signature);
		assert_int_equal(ok, cases[i].signature != NULL);
		if (ok)
			assert_true(str_is(signature, cases[i].signature));
		agent_op_free(op);
		agent_end(&agent);
	}
}

static void
test_ssh_agent_that_is_not_there_says_so(void **state)
{
	struct bench *bench = *state;
	char path[200];
	memset(path, 'x', sizeof path);
	path[0] = '/';
	shell_write(arena_printf(&bench->arena, "%s/file", bench->directory)
	    .data, STR("x"), 0600);
	const struct {
		struct str path;
		const char *why;
	} cases[] = {
		{ (struct str){0}, "the path of its socket is no path" },
		{ (struct str){ path, 108 },
		  "the path of its socket is no path" },
		{ arena_printf(&bench->arena, "%s/none", bench->directory),
		  "it is gone" },
		{ arena_printf(&bench->arena, "%s/file", bench->directory),
		  "it is gone" },
		{ arena_printf(&bench->arena, "%s/file/x", bench->directory),
		  "Not a directory" },
	};

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct agent_op *op = agent_op_list(cases[i].path);
		assert_int_equal(agent_op_fd(op), -1);
		assert_false(agent_op_finish(op, 300));
		if (strcmp(agent_op_why(op), cases[i].why) != 0)
			fail_msg("%zu: %s", i, agent_op_why(op));
		agent_op_free(op);
	}
}

static void
test_ssh_agent_keys_are_used_by_their_kind(void **state)
{
	static const struct {
		const char *type;
		bool usable;
	} cases[] = {
		{ "ssh-ed25519", true }, { "ecdsa-sha2-nistp256", true },
		{ "ecdsa-sha2-nistp384", true },
		{ "ecdsa-sha2-nistp521", true }, { "ssh-rsa", false },
		{ "sk-ssh-ed25519@openssh.com", false },
		{ "ssh-ed25519-cert-v01@openssh.com", false }, { "", false },
	};
	(void)state;

	for (size_t i = 0; i < COUNTOF(cases); i++) {
		struct strbuf key = {0};
		blob_put_string(&key, str_from(cases[i].type));
		assert_int_equal(agent_key_usable(strbuf_str(&key)),
		    cases[i].usable);
		strbuf_release(&key);
	}
	assert_false(agent_key_usable(STR("x")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_ssh_wire_takes_messages_and_nothing_else),
		cmocka_unit_test(test_ssh_agent_is_read_strictly),
		cmocka_unit_test(
		    test_ssh_agent_gives_no_more_keys_than_anybody_has),
		cmocka_unit_test(test_ssh_agent_signs_with_a_signature_alone),
		cmocka_unit_test(test_ssh_agent_that_is_not_there_says_so),
		cmocka_unit_test(test_ssh_agent_keys_are_used_by_their_kind),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
