/* test_io_banner.c - the real edge: SSH banners, and signals as events */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_peer.h"

/* ---------------------------------------------------------- banner -- */

static void
serve_banner(struct server *server, int fd)
{
	switch (atomic_load(&server->connections)) {
	case 1:
		server_say(fd, "hello\r\nSS");
		usleep(20 * 1000);
		server_say(fd, "H-2.0-x\r\n");
		break;
	case 2:
		for (int i = 0; i < 4000; i++)
			server_say(fd, "not SSH-2.0\r\n");
		break;
	case 3:
		break;
	default:	/* it is tried again and again */
		server_say(fd, "XSSH-2.0\r\nno\r\n");
		return;
	}
	char byte;
	recv(fd, &byte, 1, 0);
}

static void
test_io_banner_is_a_line_that_begins_with_ssh(void **state)
{
	static const struct {
		bool ok;
		const char *reason;
	} cases[] = {
		{ true, "" }, { false, "8 KiB without an SSH banner" },
		{ false, "no SSH banner in time" },
		{ false, "closed before an SSH banner came" },
	};
	struct server *server = server_new(serve_banner);
	struct client client;
	(void)state;

	client_open(&client, server->port, 0);
	for (size_t i = 0; i < COUNTOF(cases); i++) {
		/* A name as well as a number. */
		client.world->start_banner(client.world->ctx, i,
		    i == 1 ? STR("localhost") : STR("127.0.0.1"),
		    server->port, 400);
		struct world_event event = client_wait(&client, 5000);
		assert_int_equal(event.type, WORLD_BANNER);
		assert_int_equal(event.token, i);
		assert_int_equal(event.banner_ok, cases[i].ok);
		assert_text_is(event.banner_reason, cases[i].reason);
	}
	client_close(&client);
	server_free(server);
}

/* A pod whose sshd begins after its port is known: no answer is needed in
 * between. */
static void
test_io_banner_waits_for_who_begins_to_listen(void **state)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	struct client client;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), peer = -1;
	(void)state;

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	client_open(&client, ntohs(at.sin_port), 0);
	client.world->start_banner(client.world->ctx, 1, STR("127.0.0.1"),
	    ntohs(at.sin_port), 20000);
	assert_int_equal(client_wait(&client, 20).type, WORLD_DEADLINE);
	assert_int_equal(listen(fd, 1), 0);
	for (int i = 0; i < 500 && peer < 0; i++) {
		assert_int_equal(client_wait(&client, 10).type,
		    WORLD_DEADLINE);
		peer = accept(fd, NULL, NULL);
	}
	server_say(peer, "SSH-2.0-x\r\n");
	assert_true(client_wait(&client, 5000).banner_ok);
	close(peer);
	close(fd);
	client_close(&client);
}

static void
test_io_banner_refused_says_so(void **state)
{
	uint16_t port;
	struct client client;
	(void)state;

	close(server_listen(&port));
	client_open(&client, port, 0);
	client.world->start_banner(client.world->ctx, 1, STR("127.0.0.1"),
	    port, 2000);
	struct world_event event = client_wait(&client, 3000);
	assert_false(event.banner_ok);
	assert_text_is(event.banner_reason, "Connection refused");
	client.world->start_banner(client.world->ctx, 2,
	    STR("no-such-host.invalid"), port, 2000);
	client.world->start_banner(client.world->ctx, 3, STR("127.0.0.1"),
	    port, 2000);
	client.world->cancel(client.world->ctx, 3);
	event = client_wait(&client, 3000);
	assert_int_equal(event.token, 2);
	assert_false(event.banner_ok);
	client_close(&client);
}

/* --------------------------------------------------------- signals -- */

static void
test_io_world_signals_are_events(void **state)
{
	struct client client;
	(void)state;

	client_open(&client, 1, 0);
	io_world_take_signals(client.io);
	assert_int_equal(client_wait(&client, 0).type, WORLD_DEADLINE);
	kill(getpid(), SIGTERM);
	kill(getpid(), SIGHUP);
	struct world_event first = client_wait(&client, 1000);
	struct world_event second = client_wait(&client, 1000);
	assert_int_equal(first.type, WORLD_SIGNAL);
	assert_int_equal(second.type, WORLD_SIGNAL);
	assert_int_equal(first.signal + second.signal, SIGTERM + SIGHUP);
	client_close(&client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_io_banner_is_a_line_that_begins_with_ssh),
		cmocka_unit_test(test_io_banner_waits_for_who_begins_to_listen),
		cmocka_unit_test(test_io_banner_refused_says_so),
		cmocka_unit_test(test_io_world_signals_are_events),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
