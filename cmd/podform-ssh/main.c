/*
 * podform-ssh - the server of workers (ssh/wire.h): loads what SSH needs
 * once, then forks a worker for each descriptor that it is handed.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cmd/podform-ssh/confine.h"
#include "cmd/podform-ssh/library.h"
#include "cmd/podform-ssh/worker.h"

enum { SERVER_FD = 3 };

/* One message, or the end of it all. */
static bool
serve(void)
{
	static char payload[WIRE_PAYLOAD_MAX + 1];
	struct pollfd ready = { .fd = SERVER_FD, .events = POLLIN };
	struct wire message;
	int result;
	pid_t server = getpid();

	if (poll(&ready, 1, -1) == -1)
		return errno == EINTR;
	result = wire_receive(SERVER_FD, payload, &message);
	if (result == -EAGAIN)
		return true;
	if (result != 1 || message.type != WIRE_SPAWN || message.fd == -1 ||
	    message.a != WIRE_VERSION)
		return false;
	if (fork() == 0) {
		confine_worker(message.fd, server);
		worker_run(SERVER_FD);
	}
	/* A fork that failed shows as a pair whose other end is closed. */
	close(message.fd);
	return true;
}

int
main(int argc, char **argv)
{
	int type = 0;
	socklen_t size = sizeof type;

	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("podform-ssh %s, libssh2 %s\n", PODFORM_VERSION,
		    libssh2_version(0));
		return 0;
	}
	if (argc > 1 || getsockopt(SERVER_FD, SOL_SOCKET, SO_TYPE, &type,
	    &size) == -1 || type != SOCK_SEQPACKET) {
		fputs("podform-ssh is started by podform, not by people\n",
		    stderr);
		return 3;
	}
	confine_server();
	signal(SIGCHLD, SIG_IGN);	/* no worker is waited for */
	signal(SIGPIPE, SIG_IGN);
	if (!library_load())
		return 1;
	while (serve())
		continue;
	return 0;
}
