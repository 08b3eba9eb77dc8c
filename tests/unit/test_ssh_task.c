/* test_ssh_task.c - the scripts of tasks, run by a real shell */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "ssh/task.h"
#include "tests/unit/shell.h"

#define TOKEN "00112233aabbccdd"

struct bench {
	struct arena arena;
	const char *home;
};

static int
setup(void **state)
{
	struct bench *bench = calloc(1, sizeof *bench);
	bench->home = shell_directory(&bench->arena);
	*state = bench;
	return 0;
}

static int
teardown(void **state)
{
	struct bench *bench = *state;
	shell_remove(bench->home);
	arena_release(&bench->arena);
	free(bench);
	return 0;
}

static const char *
path(struct bench *bench, const char *name)
{
	return arena_printf(&bench->arena, "%s/%s", bench->home, name).data;
}

static struct str
script(struct bench *bench, const struct ssh_request *request)
{
	struct strbuf text = {0};
	const char *why = NULL;
	if (!task_script(&text, request, TOKEN, (struct str){0}, &why))
		fail_msg("%s", why);
	struct str out = arena_str(&bench->arena, strbuf_str(&text));
	strbuf_release(&text);
	return out;
}

/* As a pod would: the command by a shell, the script on its input. */
static int
run_text(struct bench *bench, const char *shell, struct str text,
    struct str *output)
{
	shell_write(path(bench, "script"), text, 0600);
	shell_write(path(bench, "command"),
	    task_command(&bench->arena, TOKEN), 0600);
	return shell_run(&bench->arena, bench->home, arena_printf(
	    &bench->arena, "HOME=$PWD; export HOME; "
	    "%s \"$(cat command)\" <script", shell).data, output);
}

static int
run(struct bench *bench, const struct ssh_request *request,
    struct str *output)
{
	return run_text(bench, "sh -c", script(bench, request), output);
}

static void
test_ssh_task_runs_a_script_and_leaves_nothing(void **state)
{
	struct bench *bench = *state;
	struct str output;
	struct env_var env[] = {
		{ .name = STR("A"), .value = STR("it's $HOME `x` \"q\"\\") },
		{ .name = STR("EMPTY"), .value = STR("") },
	};
	struct ssh_request request = {
		.task = SSH_RUN, .env = env, .nenv = 2,
		.script = STR("printf '%s|' \"$A\" \"$EMPTY\"; pwd; "
		    "cat; echo err >&2; exit 7"),
	};
	assert_int_equal(run(bench, &request, &output), 7);
	assert_string_equal(output.data, arena_printf(&bench->arena,
	    "it's $HOME `x` \"q\"\\||%s\nerr\n", bench->home).data);
	assert_string_equal(shell_ok(&bench->arena, bench->home, "ls -A")
	    .data, "command\nscript\n");
}

static void
test_ssh_task_is_understood_by_other_shells(void **state)
{
	struct bench *bench = *state;
	struct str output;
	struct ssh_request request = {
		.task = SSH_RUN, .script = STR("echo hello"),
	};
	assert_int_equal(run_text(bench, "bash -c", script(bench, &request),
	    &output), 0);
	assert_string_equal(output.data, "hello\n");
}

static void
test_ssh_task_runs_no_script_that_is_cut(void **state)
{
	struct bench *bench = *state;
	struct str output;
	struct ssh_request request = {
		.task = SSH_RUN, .script = STR("echo one\necho two"),
	};
	struct str whole = script(bench, &request);
	for (size_t n = 0; n + 2 < whole.len; n += 7) {
		assert_int_equal(run_text(bench, "sh -c",
		    str_sub(whole, 0, n), &output), TASK_CUT);
		assert_true(str_search(output, STR("one")) < 0);
	}
	assert_string_equal(shell_ok(&bench->arena, bench->home, "ls -A")
	    .data, "command\nscript\n");
}

static void
test_ssh_task_ends_what_runs_with_its_group(void **state)
{
	struct bench *bench = *state;
	struct ssh_request request = {
		.task = SSH_RUN, .script = STR("sleep 60 & echo $! >child; "
		    "sleep 60; echo late >late"),
	};
	shell_write(path(bench, "script"), script(bench, &request), 0600);
	shell_write(path(bench, "command"),
	    task_command(&bench->arena, TOKEN), 0600);
	shell_write(path(bench, "kill"),
	    task_kill_command(&bench->arena, TOKEN), 0600);
	/* As sshd does: in a session of its own. */
	shell_ok(&bench->arena, bench->home,
	    "HOME=$PWD; export HOME\n"
	    "setsid sh -c \"$(cat command)\" <script >/dev/null 2>&1 &\n"
	    "until [ -s child ]; do sleep 0.05; done\n"
	    "kill -0 $(cat child) && sh -c \"$(cat kill)\"\n"
	    /* Where nobody reaps it, it stays a zombie. */
	    "! grep -q '^State:.[^ZX]' /proc/$(cat child)/status 2>/dev/null"
	    " && [ ! -e late ] &&\n"
	    "[ ! -e .podform-" TOKEN " ]");
}

/* Its podform was killed, and the next one gives the step again: not two of
 * it at a time.  A check ends nothing. */
static void
test_ssh_task_ends_the_setup_step_of_an_earlier_run(void **state)
{
	static const char other[] = "ffeeddccbbaa9988";
	struct bench *bench = *state;
	struct ssh_request request = {
		.task = SSH_RUN, .name = STR("setup 2"),
		.script = STR("sleep 60 & echo $! >child; "
		    "sleep 60; echo late >late"),
	};
	struct strbuf first = {0};
	const char *why;
	struct str output;

	assert_true(task_script(&first, &request, other, (struct str){0},
	    &why));
	shell_write(path(bench, "first"), strbuf_str(&first), 0600);
	strbuf_release(&first);
	shell_write(path(bench, "left"),
	    task_command(&bench->arena, other), 0600);
	shell_ok(&bench->arena, bench->home, "HOME=$PWD; export HOME\n"
	    "setsid sh -c \"$(cat left)\" <first >/dev/null 2>&1 &\n"
	    "until [ -s child ]; do sleep 0.05; done");

	/* Where nobody reaps it, it stays a zombie. */
	request.script = STR("grep -q '^State:.[^ZX]' "
	    "/proc/$(cat child)/status 2>/dev/null && echo alive; "
	    "echo \"d=$d\"; exit 3");
	request.name = STR("check 1");
	assert_int_equal(run(bench, &request, &output), 3);
	assert_string_equal(output.data, "alive\nd=\n");
	request.name = STR("setup 1");
	assert_int_equal(run(bench, &request, &output), 3);
	assert_string_equal(output.data, "podform: a setup step of an earlier "
	    "run was still going on here, and is ended\nd=\n");
	assert_int_equal(run(bench, &request, &output), 3);
	assert_string_equal(output.data, "d=\n");
	assert_string_equal(shell_ok(&bench->arena, bench->home, "ls -A")
	    .data, "child\ncommand\nfirst\nleft\nscript\n");
}

static void
test_ssh_task_keeps_a_process_running(void **state)
{
	struct bench *bench = *state;
	struct str output;
	struct env_var env[] = {
		{ .name = STR("WORD"), .value = STR("se'cret") },
	};
	struct ssh_request request = {
		.task = SSH_PROCESS, .name = STR("web"), .log = STR("out.log"),
		.env = env, .nenv = 1,
		.script = STR("echo \"begins $WORD\"\nexit 3"),
	};
	assert_int_equal(run(bench, &request, &output), 0);
	/* It begins again after a second, and others cannot read it. */
	shell_ok(&bench->arena, bench->home,
	    "i=0; until [ \"$(grep -c \"begins se'cret\" out.log)\" -ge 2 ] ||"
	    " [ $i -gt 100 ]; do sleep 0.1; i=$((i + 1)); done\n"
	    "grep -q 'ended with status 3, begins again in 1 s' out.log &&\n"
	    "[ \"$(stat -c %a .podform/process/web/run)\" = 600 ] &&\n"
	    "cp .podform/process/web/pid first");
	/* One of that name takes its place. */
	request.script = STR("echo other; sleep 30");
	assert_int_equal(run(bench, &request, &output), 0);
	shell_ok(&bench->arena, bench->home,
	    "i=0; until grep -q other out.log || [ $i -gt 50 ]; do"
	    " sleep 0.1; i=$((i + 1)); done\n"
	    "! grep -q loop /proc/$(cat first)/cmdline 2>/dev/null && grep -q other out.log;"
	    " s=$?\n"
	    "kill -KILL -$(cat .podform/process/web/pid); exit $s");
}

/* ------------------------------------------------------------- runners ---- */

/* A package with the real one's names; its listener does what $1 says. */
static void
make_package(struct bench *bench, const char *listener)
{
	shell_write(path(bench, "listener"), str_from(listener), 0755);
	shell_ok(&bench->arena, bench->home,
	    "rm -rf pack; mkdir -p pack/bin; echo exit 0 >pack/run.sh;"
	    " cp listener pack/bin/Runner.Listener;"
	    " printf '#!/bin/sh\\nsleep 60; :\\n' >pack/bin/Runner.Worker;"
	    " printf '#!/bin/sh\\nenv | grep ACTIONS_ | sort >configured;"
	    " echo {} >.runner\\n' >pack/config.sh;"
	    " chmod +x pack/config.sh pack/bin/*;"
	    " tar -czf package.tgz -C pack . && python3 -c 'import hashlib;"
	    " print(hashlib.sha256(open(\"package.tgz\",\"rb\").read())"
	    ".hexdigest())' >sum");
}

static struct ssh_request
runner(struct bench *bench, enum ssh_task task)
{
	struct str sum = str_trim(shell_read(&bench->arena,
	    path(bench, "sum")));
	return (struct ssh_request){
		.task = task,
		.runner = {
			.name = STR("ci-1"), .no_user = true,
			.package = {
				.version = STR("2.336.0"),
				.url = STR("https://127.0.0.1:1/none"),
				.filename = STR("runner.tar.gz"),
				.sha256 = sum,
			},
		},
	};
}

static int
install(struct bench *bench, struct str *output)
{
	struct ssh_request request = runner(bench, SSH_RUNNER_INSTALL);
	struct strbuf text = {0};
	const char *why;
	shell_ok(&bench->arena, bench->home, "cp package.tgz copied.tgz");
	if (!task_script(&text, &request, TOKEN,
		str_from(path(bench, "copied.tgz")), &why))
		fail_msg("%s", why);
	int status = run_text(bench, "sh -c", strbuf_str(&text), output);
	strbuf_release(&text);
	return status;
}

static struct str
jit(struct bench *bench, const char *name)
{
	struct strbuf inner = {0}, json = {0}, text = {0};
	base64_encode(&inner, STR("{\"agentId\": 7}"), BASE64_PADDED);
	strbuf_addf(&json, "{\"%s\":\"%s\",\".credentials\":\"%s\"}", name,
	    inner.data, inner.data);
	base64_encode(&text, strbuf_str(&json), BASE64_PADDED);
	struct str out = arena_str(&bench->arena, strbuf_str(&text));
	strbuf_release(&inner);
	strbuf_release(&json);
	strbuf_release(&text);
	return out;
}

static const char listens[] =
    "#!/bin/sh\n"
    "echo '2026-01-01 00:00:00Z: Listening for Jobs'\n"
    "env >../../../env-of-job\n"
    "while [ ! -e job ]; do sleep 0.1; done\n"
    "echo '2026-01-01 00:00:01Z: Running job: x'\n"
    "\"${0%/*}/Runner.Worker\" spawnclient 1 2 &\n"
    "wait\n";

static void
test_ssh_task_runs_a_runner_from_beginning_to_end(void **state)
{
	struct bench *bench = *state;
	struct ssh_request request;
	struct ssh_answer answer = {0};
	struct str output;

	make_package(bench, listens);
	/* Nothing to fetch it from: that has a status of its own. */
	request = runner(bench, SSH_RUNNER_INSTALL);
	assert_int_equal(run(bench, &request, &output),
	    SSH_STATUS_CANNOT_FETCH);
	request = runner(bench, SSH_RUNNER_START);
	request.runner.jit = jit(bench, ".runner");
	assert_int_equal(run(bench, &request, &output), 67);
	assert_int_equal(install(bench, &output), 0);

	if (run(bench, &request, &output) != 0)
		fail_msg("%s", output.data);
	assert_string_equal(shell_ok(&bench->arena, bench->home,
	    "cd .podform/runners/ci-1; cat .runner; stat -c %a .runner "
	    ".credentials; grep -c '^SSH_' ../../../env-of-job || :").data,
	    "{\"agentId\": 7}\n600\n600\n0\n");

	request = runner(bench, SSH_RUNNER_LOOK);
	assert_int_equal(run(bench, &request, &output), 0);
	task_read_look(output, &answer);
	assert_true(answer.listener);
	assert_false(answer.worker);
	assert_true(str_search(answer.line, STR("Listening for Jobs")) > 0);

	/* With a job it is left in peace. */
	shell_ok(&bench->arena, bench->home, "cd .podform/runners/ci-1; "
	    "touch job; until grep -q Running .podform-log; do sleep 0.1; "
	    "done; sleep 0.3");
	assert_int_equal(run(bench, &request, &output), 0);
	task_read_look(output, &answer);
	assert_true(answer.listener && answer.worker);
	request = runner(bench, SSH_RUNNER_STOP);
	answer = (struct ssh_answer){0};
	assert_int_equal(run(bench, &request, &output), 75);
	task_read_look(output, &answer);
	assert_true(answer.worker);
	shell_ok(&bench->arena, bench->home,
	    "for q in /proc/[0-9]*; do tr '\\0' ' ' <$q/cmdline 2>/dev/null |"
	    " grep -q \"$PWD/.*Runner.Worker\" && kill ${q#/proc/}; done;"
	    " for q in /proc/[0-9]*; do"
	    " [ \"$(readlink $q/cwd)\" = $PWD/.podform/runners/ci-1 ] &&"
	    " tr '\\0' ' ' <$q/cmdline | grep -q '^sleep 60' &&"
	    " kill ${q#/proc/}; done; sleep 0.3");
	assert_int_equal(run(bench, &request, &output), 0);
	shell_ok(&bench->arena, bench->home,
	    "[ ! -e .podform/runners/ci-1 ]");
	/* Again: it comes to the same. */
	assert_int_equal(run(bench, &request, &output), 0);
}

/* /proc shows paths without links, and a home may be one. */
static void
test_ssh_task_sees_a_job_below_a_home_that_is_a_link(void **state)
{
	struct bench *bench = *state;
	struct ssh_answer answer = {0};
	struct str output;

	make_package(bench, listens);
	struct ssh_request request = runner(bench, SSH_RUNNER_LOOK);
	shell_write(path(bench, "script"), script(bench, &request), 0600);
	shell_write(path(bench, "command"),
	    task_command(&bench->arena, TOKEN), 0600);
	/* As the loop does it, which knows where it really is. */
	shell_run(&bench->arena, bench->home,
	    "ln -s disk/home linked; d=$PWD/disk/home/.podform/runners/ci-1\n"
	    "mkdir -p $d/bin; cp pack/bin/Runner.Worker $d/bin\n"
	    "cd $d; sh $d/bin/Runner.Worker & p=$!\n"
	    "cd - >/dev/null; HOME=$PWD/linked; export HOME\n"
	    "sh -c \"$(cat command)\" <script; pkill -P $p; kill $p",
	    &output);
	task_read_look(output, &answer);
	assert_true(answer.worker);
}

static void
test_ssh_task_says_why_a_runner_does_not_listen(void **state)
{
	struct bench *bench = *state;
	struct str output;
	make_package(bench, "#!/bin/sh\necho 'An error occurred: Runner "
	    "version v2 is deprecated and cannot receive messages.' >&2\n"
	    "exit 7\n");
	assert_int_equal(install(bench, &output), 0);
	struct ssh_request request = runner(bench, SSH_RUNNER_START);
	request.runner.jit = jit(bench, ".runner");
	assert_int_equal(run(bench, &request, &output), 68);
	assert_true(str_search(output, STR(" for jobs: An error occurred: "
	    "Runner version v2 is deprecated")) >= 0);
	assert_true(str_search(output, STR("ended with code 7: ")) >= 0);
}

static void
test_ssh_task_configures_a_runner_by_its_environment(void **state)
{
	struct bench *bench = *state;
	struct str output;
	make_package(bench, "#!/bin/sh\necho 'Listening for Jobs'\n");
	assert_int_equal(install(bench, &output), 0);
	struct ssh_request request = runner(bench, SSH_RUNNER_START);
	request.runner.url = STR("https://github.com/acme/model");
	request.runner.registration_token = STR("TO'KEN");
	request.runner.labels = STR("gpu,a40");
	request.runner.ephemeral = true;
	if (run(bench, &request, &output) != 0)
		fail_msg("%s", output.data);
	assert_string_equal(shell_ok(&bench->arena, bench->home,
	    "cd .podform/runners/ci-1; cat configured; "
	    "[ ! -e .podform-config ]").data,
	    "ACTIONS_RUNNER_INPUT_EPHEMERAL=true\n"
	    "ACTIONS_RUNNER_INPUT_LABELS=gpu,a40\n"
	    "ACTIONS_RUNNER_INPUT_NAME=ci-1\n"
	    "ACTIONS_RUNNER_INPUT_TOKEN=TO'KEN\n"
	    "ACTIONS_RUNNER_INPUT_URL=https://github.com/acme/model\n");
}

static void
check_refused(const struct ssh_request *request, const char *want)
{
	struct strbuf text = {0};
	const char *why = NULL;
	assert_false(task_script(&text, request, TOKEN, (struct str){0},
	    &why));
	assert_string_equal(why, want);
	strbuf_release(&text);
}

/*
 * Over TLS: /good leads to the package by another redirect, /bad to the same
 * package over plain http, where `heard` says that somebody asked.
 */
static const char redirector[] =
    "import http.server, ssl, threading\n"
    "class H(http.server.BaseHTTPRequestHandler):\n"
    "  def log_message(self, *_): pass\n"
    "  def do_GET(self):\n"
    "    tls = isinstance(self.connection, ssl.SSLSocket)\n"
    "    if not tls: open('heard', 'w')\n"
    "    to = {'/good': f'https://localhost:{safe}/file',\n"
    "          '/bad': f'http://localhost:{plain}/file'}.get(self.path)\n"
    "    body = b'' if to else open('package.tgz', 'rb').read()\n"
    "    self.send_response(302 if to else 200)\n"
    "    if to: self.send_header('Location', to)\n"
    "    self.send_header('Content-Length', str(len(body)))\n"
    "    self.end_headers()\n"
    "    self.wfile.write(body)\n"
    "a, b = [http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)"
    " for _ in 'ab']\n"
    "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\n"
    "c.load_cert_chain('cert', 'key')\n"
    "a.socket = c.wrap_socket(a.socket, server_side=True)\n"
    "safe, plain = a.server_port, b.server_port\n"
    "for s in a, b: threading.Thread(target=s.serve_forever,"
    " daemon=True).start()\n"
    "open('ports.new', 'w').write(f'{safe} {plain}')\n"
    "import os, time; os.rename('ports.new', 'ports'); time.sleep(60)\n";

/* What a pod has that has just one of the programs that fetch. */
static const char only_one[] =
    "mkdir -p bin; for p in sh cat mkdir rm mv tar gzip sha256sum uname "
    "touch find chmod id grep sed tr readlink tail head cut sleep ps kill "
    "env cp ls setsid rmdir dirname basename date mktemp stat; do "
    "q=$(command -v $p) && ln -sf \"$q\" bin/$p; done; "
    "rm -f bin/curl bin/wget bin/python3; ln -s /usr/bin/%s bin; "
    "rm -rf .podform heard; "
    "export PATH=$PWD/bin SSL_CERT_FILE=$PWD/cert CURL_CA_BUNDLE=$PWD/cert "
    "HOME=$PWD; echo ca_certificate=$PWD/cert >.wgetrc; "
    "sh -c \"$(cat command)\" <script";

static int
fetch_with(struct bench *bench, const char *program, const char *url,
    struct str *output)
{
	struct ssh_request request = runner(bench, SSH_RUNNER_INSTALL);

	request.runner.package.url = str_from(url);
	shell_write(path(bench, "script"), script(bench, &request), 0600);
	shell_write(path(bench, "command"), task_command(&bench->arena,
	    TOKEN), 0600);
	return shell_run(&bench->arena, bench->home, arena_printf(
	    &bench->arena, only_one, program).data, output);
}

static void
test_ssh_task_fetches_packages_over_https_alone(void **state)
{
	static const char *const programs[] = { "curl", "wget", "python3" };
	struct bench *bench = *state;
	struct str output, plain;

	make_package(bench, listens);
	shell_write(path(bench, "server.py"), str_from(redirector), 0600);
	shell_ok(&bench->arena, bench->home, "openssl req -x509 -newkey rsa:2048 "
	    "-nodes -keyout key -out cert -days 2 -subj /CN=localhost "
	    "-addext subjectAltName=DNS:localhost 2>/dev/null; "
	    "python3 server.py </dev/null >server.log 2>&1 & echo $! >server; "
	    "i=0; while [ ! -e ports ] && [ $i -lt 100 ]; do sleep 0.1; "
	    "i=$((i + 1)); done; cat ports");
	struct str safe = str_cut(shell_read(&bench->arena, path(bench,
	    "ports")), ' ', &plain);
	for (size_t i = 0; i < COUNTOF(programs); i++) {
		if (access(arena_printf(&bench->arena, "/usr/bin/%s",
		    programs[i]).data, X_OK) != 0) {
			print_message("skip: there is no %s here\n",
			    programs[i]);
			continue;
		}
		const char *good = arena_printf(&bench->arena,
		    "https://localhost:" STR_FMT "/good", STR_ARG(safe)).data;
		const char *bad = arena_printf(&bench->arena,
		    "https://localhost:" STR_FMT "/bad", STR_ARG(safe)).data;
		if (fetch_with(bench, programs[i], good, &output) != 0)
			fail_msg("%s: " STR_FMT, programs[i], STR_ARG(output));
		assert_int_equal(fetch_with(bench, programs[i], bad, &output),
		    SSH_STATUS_CANNOT_FETCH);
		shell_ok(&bench->arena, bench->home, "! [ -e heard ]");
		/* A test's own server is no redirect. */
		if (fetch_with(bench, programs[i], arena_printf(&bench->arena,
			"http://localhost:" STR_FMT "/file",
			STR_ARG(plain)).data, &output) != 0)
			fail_msg("%s: " STR_FMT, programs[i], STR_ARG(output));
		shell_ok(&bench->arena, bench->home, "[ -e heard ]");
		assert_int_equal(fetch_with(bench, programs[i],
		    "http://podform.invalid/x", &output),
		    SSH_STATUS_CANNOT_FETCH);
		assert_true(str_search(output, STR("over https alone")) >= 0);
	}
	shell_ok(&bench->arena, bench->home, "kill $(cat server)");
}

static void
test_ssh_task_refuses_what_would_escape(void **state)
{
	struct bench *bench = *state;
	make_package(bench, "#!/bin/sh\n");
	struct ssh_request request = runner(bench, SSH_RUNNER_LOOK);
	const char *const names[] = { "", "..", "a/b", "-x", "a b", "a;b" };
	for (size_t i = 0; i < COUNTOF(names); i++) {
		request.runner.name = str_from(names[i]);
		check_refused(&request, "a runner cannot be called so");
	}
	request = runner(bench, SSH_RUNNER_INSTALL);
	request.runner.package.url = STR("https://x/\"\noutput = /etc/x");
	check_refused(&request, "a runner cannot be called so");
	request = runner(bench, SSH_RUNNER_START);
	const char *none = "GitHub's configuration of the runner is none";
	request.runner.jit = jit(bench, "../x");
	check_refused(&request, none);
	request.runner.jit = STR("bm9uc2Vuc2U=");
	check_refused(&request, none);
	request.runner.jit = (struct str){0};
	check_refused(&request, "there is neither a configuration nor a "
	    "token");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ssh_task_runs_a_script_and_leaves_nothing),
		TEST(test_ssh_task_is_understood_by_other_shells),
		TEST(test_ssh_task_runs_no_script_that_is_cut),
		TEST(test_ssh_task_ends_what_runs_with_its_group),
		TEST(test_ssh_task_ends_the_setup_step_of_an_earlier_run),
		TEST(test_ssh_task_keeps_a_process_running),
		TEST(test_ssh_task_runs_a_runner_from_beginning_to_end),
		TEST(test_ssh_task_sees_a_job_below_a_home_that_is_a_link),
		TEST(test_ssh_task_says_why_a_runner_does_not_listen),
		TEST(test_ssh_task_configures_a_runner_by_its_environment),
		TEST(test_ssh_task_fetches_packages_over_https_alone),
		TEST(test_ssh_task_refuses_what_would_escape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
