/* test_ssh_sessions.c - sessions and tasks against a real sshd */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/io_clock.h"
#include "io/io_world.h"
#include "ssh/session.h"
#include "tests/unit/shell.h"

struct bench {
	struct arena arena;
	const char *directory;
	struct fs fs;
	struct chance chance;
	struct clock clock;
	struct ssh_keys *keys;
	struct ssh *ssh;
	struct ssh_target target;
	size_t waiting, good;
	struct ssh_answer last;
};

static struct bench bench;

static uint16_t
free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	getsockname(fd, (struct sockaddr *)&address, &len);
	close(fd);
	return ntohs(address.sin_port);
}

static const char *
worker(void)
{
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self);
	assert_true(n > 0);
	struct str path = { self, (size_t)n };
	for (int up = 0; up < 2; up++)
		path = str_sub(path, 0, (size_t)str_rfind(path, '/'));
	return arena_printf(&bench.arena, STR_FMT "/podform-ssh",
	    STR_ARG(path)).data;
}

static int
setup(void **state)
{
	(void)state;
	struct str why;
	bench.directory = shell_directory(&bench.arena);
	bench.fs = io_fs();
	bench.chance = io_chance();
	bench.clock = io_clock();
	struct ssh_keys_config keys = {
		.fs = &bench.fs, .chance = &bench.chance,
		.comment = STR("test"), .directory = arena_printf(
		    &bench.arena, "%s/keys", bench.directory),
	};
	bench.keys = ssh_keys_new(&keys);
	assert_true(ssh_keys_make(bench.keys, &why));
	struct ssh_config config = {
		.worker = worker(), .clock = &bench.clock,
		.keys = bench.keys,
	};
	bench.ssh = ssh_new(&config);
	bench.target = (struct ssh_target){
		.pod = STR("one"), .host = STR("127.0.0.1"),
		.port = free_port(),
		.user = str_from(getpwuid(getuid())->pw_name),
	};
	/* It ends by itself, whatever happens to us. */
	shell_ok(&bench.arena, bench.directory, arena_printf(&bench.arena,
	    "[ $(id -u) != 0 ] || mkdir -p /run/sshd\n"
	    "ssh-keygen -q -t ed25519 -N '' -f host\n"
	    "printf '%%s\\n' 'Port %u' 'ListenAddress 127.0.0.1' "
	    "\"HostKey $PWD/host\" \"PidFile $PWD/pid\" 'UsePAM no' "
	    "'StrictModes no' 'LogLevel VERBOSE' "
	    "\"AuthorizedKeysFile $PWD/keys/id_ed25519.pub\" "
	    "'MaxStartups 10:30:100' >conf\n"
	    "timeout 60 /usr/sbin/sshd -f $PWD/conf -D -E $PWD/log "
	    "</dev/null >/dev/null 2>&1 &\n"
	    "i=0; until grep -q listening log 2>/dev/null || [ $i -gt 100 ];"
	    " do sleep 0.1; i=$((i + 1)); done", bench.target.port).data);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	ssh_free(bench.ssh);
	ssh_keys_free(bench.keys);
	shell_run(&bench.arena, bench.directory, "kill $(cat pid)", NULL);
	shell_remove(bench.directory);
	arena_release(&bench.arena);
	return 0;
}

static void
done(void *ctx, const struct ssh_answer *answer)
{
	(void)ctx;
	bench.waiting--;
	bench.good += answer->outcome == SSH_DONE && answer->status == 0;
	bench.last = *answer;
	bench.last.output = arena_str(&bench.arena, answer->output);
	bench.last.reason = arena_str(&bench.arena, answer->reason);
}

static void
start(const struct ssh_request *request)
{
	bench.waiting++;
	ssh_start_task(bench.ssh, request, done, NULL);
}

static void
finish(void)
{
	while (bench.waiting > 0) {
		int64_t next = ssh_next_ms(bench.ssh);
		int64_t left = next - bench.clock.mono_ms(bench.clock.ctx);
		struct pollfd ready = {
			.fd = ssh_fd(bench.ssh), .events = POLLIN,
		};
		poll(&ready, 1, next < 0 ? 10000 : left < 0 ? 0 : (int)left);
		ssh_turn(bench.ssh);
	}
}

static struct ssh_request
request(enum ssh_task task, const char *script)
{
	bench.good = 0;
	return (struct ssh_request){
		.task = task, .target = bench.target, .timeout_ms = 30000,
		.script = str_from(script),
	};
}

static void
test_ssh_sessions_log_in_once_for_many_tasks(void **state)
{
	(void)state;
	struct ssh_request run = request(SSH_RUN, "echo hi; echo e >&2; "
	    "exit 5");
	start(&run);
	finish();
	assert_int_equal(bench.last.outcome, SSH_DONE);
	assert_int_equal(bench.last.status, 5);
	assert_string_equal(bench.last.output.data, "hi\ne\n");
	/* More than MaxSessions allows at once. */
	run = request(SSH_RUN, "sleep 0.2");
	for (int i = 0; i < 15; i++)
		start(&run);
	finish();
	assert_int_equal(bench.good, 15);
	assert_string_equal(shell_ok(&bench.arena, bench.directory,
	    "grep -c 'Accepted publickey' log").data, "1\n");
}

static void
test_ssh_sessions_survive_max_startups(void **state)
{
	(void)state;
	struct ssh_request login = request(SSH_LOGIN, "");
	for (int i = 0; i < 50; i++) {
		login.target.pod = arena_printf(&bench.arena, "pod%d", i);
		start(&login);
	}
	finish();
	assert_int_equal(bench.good, 50);
}

static void
test_ssh_sessions_send_nothing_to_another_host_key(void **state)
{
	(void)state;
	struct str pin = STR("SHA256:"
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	struct ssh_request login = request(SSH_LOGIN, "");
	login.target.pod = STR("pinned");
	login.target.pins = &pin;
	login.target.npins = 1;
	start(&login);
	finish();
	assert_int_equal(bench.last.outcome, SSH_WRONG_HOST_KEY);
}

static void
test_ssh_sessions_end_what_takes_too_long(void **state)
{
	(void)state;
	struct ssh_request run = request(SSH_RUN, "echo $$; sleep 300");
	run.timeout_ms = 1000;
	start(&run);
	finish();
	assert_int_equal(bench.last.outcome, SSH_TIMED_OUT);
	/* Nothing of it is left that would call back; found by fuzzing. */
	for (const struct op *op = bench.ssh->ops; op != NULL; op = op->next)
		assert_true(op->over || op->kills);
	run = request(SSH_LOGIN, "");
	run.target.port = 1;
	start(&run);
	finish();
	assert_int_equal(bench.last.outcome, SSH_UNREACHABLE);
	assert_string_equal(bench.last.reason.data, "Connection refused");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ssh_sessions_log_in_once_for_many_tasks),
		cmocka_unit_test(test_ssh_sessions_survive_max_startups),
		cmocka_unit_test(
		    test_ssh_sessions_send_nothing_to_another_host_key),
		cmocka_unit_test(test_ssh_sessions_end_what_takes_too_long),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
