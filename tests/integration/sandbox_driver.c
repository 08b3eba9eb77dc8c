/*
 * sandbox_driver.c - a few lines around sandbox.h for sandbox_test.sh.
 *
 * Reads commands from standard input, one a line, and answers each with one
 * line, so that the test can be a shell script:
 *
 *	usable			usable | unusable WHY
 *	start ID KEY		N PORT PID	when ready (KEY - for none)
 *	stop N			gone MS
 *	log N			its output, ended by a line `.`
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd/podform-sim/sandbox.h"

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct sandbox *
start(const char *id, const char *key, int number)
{
	int64_t begin = now_ms();
	struct sandbox *sandbox;
	char public_key[1024];
	const char *env[] = { "MODE=a b'c", "EMPTY=", public_key };
	struct sandbox_config config = {
		.pod_id = id, .env = env, .nenv = strcmp(key, "-") ? 3 : 2,
		.args = "echo args ran; exec sleep 4242",
		.volume_path = "/data/set", .gpu_name = "NVIDIA A40",
		.gpu_count = 2, .gpu_memory_gb = 48,
	};

	snprintf(public_key, sizeof public_key, "PUBLIC_KEY=%s", key);
	sandbox = sandbox_start(&config);
	while (sandbox != NULL &&
	    sandbox_poll(sandbox, now_ms()) == SANDBOX_STARTING &&
	    now_ms() < begin + 10000)
		poll(NULL, 0, 5);
	if (sandbox == NULL ||
	    sandbox_poll(sandbox, now_ms()) != SANDBOX_READY) {
		printf("failed\n");
		return sandbox;
	}
	printf("%d %d %d %d\n", number, sandbox_port(sandbox),
	    (int)sandbox_pid(sandbox), (int)(now_ms() - begin));
	return sandbox;
}

static void
stop(struct sandbox *sandbox)
{
	int64_t begin = now_ms();

	sandbox_stop(sandbox, begin);
	while (sandbox_poll(sandbox, now_ms()) != SANDBOX_GONE &&
	    now_ms() < begin + 10000)
		poll(NULL, 0, 5);
	printf("%s %d\n", sandbox_alive(sandbox) ? "alive" : "gone",
	    (int)(now_ms() - begin));
}

int
main(void)
{
	struct sandbox *sandboxes[16] = {0};
	char line[2048], id[64], why[256];
	int n = 0, which, key;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (fgets(line, sizeof line, stdin) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		key = 0;
		if (strcmp(line, "usable") == 0) {
			bool usable = sandbox_usable(why, sizeof why);

			printf("%s\n", usable ? "usable" : why);
		} else if (sscanf(line, "start %63s %n", id, &key) == 1 &&
		    key > 0 && n < 16) {
			sandboxes[n] = start(id, line + key, n);
			n++;
		} else if (sscanf(line, "stop %d", &which) == 1 &&
		    which >= 0 && which < n) {
			stop(sandboxes[which]);
		} else if (sscanf(line, "log %d", &which) == 1 &&
		    which >= 0 && which < n) {
			struct str log = sandbox_log(sandboxes[which]);

			printf(STR_FMT ".\n", STR_ARG(log));
		} else {
			printf("what?\n");
		}
	}
	for (int i = 0; i < n; i++)
		sandbox_free(sandboxes[i]);
	return 0;
}
