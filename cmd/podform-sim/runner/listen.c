/*
 * listen.c - bin/Runner.Listener run: connect, listen, run jobs.
 *
 *	settings -> session -> poll ... job -> poll ...
 *
 * A signal means "shut down now": a job that runs is cancelled.
 */
#include "standin.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 200, RENEW_MS = 500, ERRORS_MAX = 10, OUTPUT_MAX = 4000 };
enum exit_code {
	SUCCESS = 0, TERMINATED = 1, RETRYABLE = 2, CONFLICT = 5,
	DEPRECATED = 7, KEEP_ON = -1,
};

struct listener {
	char id[32], name[128], base[256], secret[1024];
	bool ephemeral;
	char session[32];
	char reply[REPLY_MAX];
};

/* A job that runs. */
struct job {
	char id[32], name[256];
	pid_t pid;
	int output;		/* what the worker prints */
	char text[OUTPUT_MAX * 2];
	size_t n;
	bool cancelled;
	int64_t cancelled_at_ms;
};

static volatile sig_atomic_t stopping;

static void
on_signal(int number)
{
	(void)number;
	stopping = 1;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
pause_ms(int64_t ms)
{
	int64_t until = now_ms() + ms;

	while (!stopping && now_ms() < until)
		poll(NULL, 0, ms < 50 ? (int)ms : 50);
}

static int
tell(struct listener *listener, const char *verb, const char *body)
{
	char path[128];

	snprintf(path, sizeof path, "runner/%s/%s", listener->id, verb);
	return standin_post(listener->base, path, listener->secret, body,
	    listener->reply, sizeof listener->reply);
}

/* ------------------------------------------------------------ settings -- */

/* The files of a JIT configuration; names that leave the directory are not
 * to be had. */
static bool
unpack_jit(const char *encoded)
{
	static const char *const names[] = {
		".runner", ".credentials", ".credentials_rsaparams",
	};
	static char text[FILE_MAX], file[FILE_MAX], bytes[FILE_MAX];

	if (standin_base64(encoded, text, sizeof text) <= 0 ||
	    text[0] != '{')
		return false;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		long n;
		if (!standin_json(text, names[i], file, sizeof file) ||
		    (n = standin_base64(file, bytes, sizeof bytes)) < 0 ||
		    !standin_write(names[i], bytes, (size_t)n, 0666))
			return false;
	}
	return true;
}

static bool
read_settings(struct listener *listener)
{
	static char text[FILE_MAX];
	char word[16] = "";

	if (!standin_read(".runner", text, sizeof text))
		return false;
	standin_json(text, "agentId", listener->id, sizeof listener->id);
	standin_json(text, "agentName", listener->name,
	    sizeof listener->name);
	standin_json(text, "serverUrl", listener->base,
	    sizeof listener->base);
	listener->ephemeral = standin_json(text, "ephemeral", word,
	    sizeof word) && strcmp(word, "true") == 0;
	return standin_read(".credentials_rsaparams", text, sizeof text) &&
	    standin_json(text, "d", listener->secret,
	    sizeof listener->secret);
}

/* ------------------------------------------------------------- session -- */

static int
deprecated(void)
{
	const char *code =
	    getenv("ACTIONS_RUNNER_RETURN_VERSION_DEPRECATED_EXIT_CODE");

	fprintf(stderr, "An error occurred: Runner version v%s is deprecated "
	    "and cannot receive messages.\n", standin_version);
	return code != NULL && strcmp(code, "1") == 0 ? DEPRECATED
	    : TERMINATED;
}

static void
connect_error(const struct listener *listener)
{
	time_t now = time(NULL);
	struct tm date;
	char when[32];

	gmtime_r(&now, &date);
	strftime(when, sizeof when, "%Y-%m-%d %H:%M:%SZ", &date);
	fprintf(stderr, "%s: Runner connect error: %s. Retrying until "
	    "reconnected.\n", when, listener->reply);
}

/* KEEP_ON once there is a session, else the exit code. */
static int
open_session(struct listener *listener)
{
	bool fast = standin_switch("STANDIN_FAST") != NULL;
	int64_t conflict_ms = 0, wait_ms = fast ? 1000 : 30 * 1000;
	const char *pod = standin_switch("RUNPOD_POD_ID");
	char body[256];
	int status;

	snprintf(body, sizeof body, "version=%s\npod=%s\n", standin_version,
	    pod != NULL ? pod : "");
	while (!stopping) {
		status = standin_switch("STANDIN_OFFLINE") != NULL
		    ? (snprintf(listener->reply, sizeof listener->reply,
		    "Resource temporarily unavailable"), -1)
		    : tell(listener, "session", body);
		if (status == 200 && standin_line(listener->reply, "session",
		    listener->session, sizeof listener->session))
			return KEEP_ON;
		if (status == 404) {
			fprintf(stderr, "Failed to create a session. The "
			    "runner registration has been deleted from the "
			    "server, please re-configure. Runner "
			    "registrations are automatically deleted for "
			    "runners that have not connected to the service "
			    "recently.\n");
			return TERMINATED;
		}
		if (status == 403)
			return deprecated();
		if (status == 401)
			return SUCCESS;		/* the token was revoked */
		if (status == 409) {
			fprintf(stderr, "A session for this runner already "
			    "exists.\n");
			conflict_ms += wait_ms;
			if (conflict_ms > wait_ms * 8)
				return CONFLICT;
			pause_ms(wait_ms);
			continue;
		}
		connect_error(listener);
		pause_ms(fast ? 1000 : 5000);
	}
	return SUCCESS;
}

static void
close_session(struct listener *listener)
{
	char body[64];

	snprintf(body, sizeof body, "session=%s\n", listener->session);
	tell(listener, "close", body);
}

/* ---------------------------------------------------------------- jobs -- */

static void
run_hook(const char *variable)
{
	const char *path = getenv(variable);
	pid_t pid;

	if (path == NULL || *path == '\0')
		return;
	pid = fork();
	if (pid == 0) {
		execl("/bin/bash", "bash", path, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static _Noreturn void
become_worker(int in, int out)
{
	/* Both could already have the number that the other is to get. */
	int from = fcntl(in, F_DUPFD, 10), to = fcntl(out, F_DUPFD, 10);

	setpgid(0, 0);
	dup2(from, 3);
	dup2(to, 4);
	for (int fd = 5; fd < 64; fd++)
		close(fd);
	execl("bin/Runner.Worker", "bin/Runner.Worker", "spawnclient", "3",
	    "4", (char *)NULL);
	_exit(127);
}

static bool
start_worker(struct listener *listener, struct job *job)
{
	int in[2], out[2];
	char more[256];

	if (pipe2(in, O_CLOEXEC) != 0)
		return false;
	if (pipe2(out, O_CLOEXEC | O_NONBLOCK) != 0) {
		close(in[0]);
		close(in[1]);
		return false;
	}
	job->pid = fork();
	if (job->pid == 0) {
		fcntl(out[1], F_SETFL, 0);
		become_worker(in[0], out[1]);
	}
	snprintf(more, sizeof more, "runner=%s\n", listener->name);
	if (write(in[1], listener->reply, strlen(listener->reply)) < 0 ||
	    write(in[1], more, strlen(more)) < 0)
		job->cancelled = true;
	close(in[0]);
	close(in[1]);
	close(out[1]);
	job->output = out[0];
	return job->pid > 0;
}

static void
read_output(struct job *job)
{
	ssize_t got;

	while ((got = read(job->output, job->text + job->n,
	    sizeof job->text - 1 - job->n)) > 0) {
		job->n += (size_t)got;
		if (job->n > OUTPUT_MAX) {	/* its end is what matters */
			memmove(job->text, job->text + job->n - OUTPUT_MAX,
			    OUTPUT_MAX);
			job->n = OUTPUT_MAX;
		}
	}
}

static void
cancel(struct job *job)
{
	if (job->cancelled)
		return;
	job->cancelled = true;
	job->cancelled_at_ms = now_ms();
	kill(job->pid, SIGINT);
}

/* Until the worker has ended; its status. */
static int
watch_worker(struct listener *listener, struct job *job)
{
	int64_t renew_at = now_ms() + RENEW_MS;
	int status = 0;
	char body[128];

	snprintf(body, sizeof body, "session=%s\njob=%s\n",
	    listener->session, job->id);
	while (waitpid(job->pid, &status, WNOHANG) == 0) {
		read_output(job);
		if (stopping && !job->cancelled) {
			fprintf(stderr, "The runner has received a shutdown "
			    "signal.\n");
			cancel(job);
		}
		if (job->cancelled && job->cancelled_at_ms > 0 &&
		    now_ms() > job->cancelled_at_ms + 25 * 1000)
			kill(-job->pid, SIGKILL);
		if (now_ms() >= renew_at) {
			if (tell(listener, "renew", body) == 404)
				cancel(job);
			renew_at = now_ms() + RENEW_MS;
		}
		poll(NULL, 0, 20);
	}
	read_output(job);
	close(job->output);
	return status;
}

/* Names as the real listener prints them; the code is 100 + index. */
static const char *
result_of(const struct job *job, int status, int *code)
{
	*code = WIFEXITED(status) ? WEXITSTATUS(status) : 102;
	if (job->cancelled || *code == 103) {
		*code = 103;
		return "Canceled";
	}
	return *code == 100 ? "Succeeded" : "Failed";
}

static void
write_worker_log(const struct job *job)
{
	char path[96], when[32];
	time_t now = time(NULL);
	struct tm date;

	gmtime_r(&now, &date);
	strftime(when, sizeof when, "%Y%m%d-%H%M%S", &date);
	mkdir("_diag", 0755);
	snprintf(path, sizeof path, "_diag/Worker_%s-utc.log", when);
	standin_write(path, job->text, job->n, 0644);
}

static int
run_job(struct listener *listener)
{
	static struct job job;
	static char body[OUTPUT_MAX * 2 + 512];
	const char *hosted =
	    getenv("ACTIONS_RUNNER_RETURN_JOB_RESULT_FOR_HOSTED");
	const char *result;
	int code = 102;

	job = (struct job){0};
	standin_line(listener->reply, "job", job.id, sizeof job.id);
	standin_line(listener->reply, "name", job.name, sizeof job.name);
	standin_say("Running job: %s", job.name);
	run_hook("ACTIONS_RUNNER_HOOK_JOB_STARTED");
	result = start_worker(listener, &job)
	    ? result_of(&job, watch_worker(listener, &job), &code)
	    : "Failed";
	run_hook("ACTIONS_RUNNER_HOOK_JOB_COMPLETED");
	write_worker_log(&job);
	job.text[job.n] = '\0';
	snprintf(body, sizeof body, "session=%s\njob=%s\nresult=%s\n\n%s",
	    listener->session, job.id, result, job.text);
	tell(listener, "done", body);
	standin_say("Job %s completed with result: %s", job.name, result);
	if (listener->ephemeral) {
		standin_forget();
		puts(CHECK "Removed .credentials\n" CHECK "Removed .runner");
		fflush(stdout);
	}
	if (hosted != NULL && *hosted != '\0')
		return code;
	return listener->ephemeral ? SUCCESS : KEEP_ON;
}

/* ----------------------------------------------------------- listening -- */

static int
listen_for_jobs(struct listener *listener)
{
	int errors = 0, code;
	char body[64];

	snprintf(body, sizeof body, "session=%s\n", listener->session);
	while (!stopping) {
		int status = tell(listener, "poll", body);
		if (status == 404) {
			fprintf(stderr, "The runner no longer exists on the "
			    "server. Cleaning up local configuration.\n");
			standin_forget();
			return SUCCESS;
		}
		if (status == 403)
			return deprecated();
		if (status != 200) {
			connect_error(listener);
			if (++errors == ERRORS_MAX)
				return RETRYABLE;
			pause_ms(standin_switch("STANDIN_FAST") != NULL ? 100
			    : 3000);
			continue;
		}
		if (errors > 0)
			standin_say("Runner reconnected.");
		errors = 0;
		if (strncmp(listener->reply, "job=", 4) == 0 &&
		    (code = run_job(listener)) != KEEP_ON)
			return code;
		pause_ms(POLL_MS);
	}
	return SUCCESS;
}

/* Codes of STANDIN_EXIT, one per start; KEEP_ON when they are used up. */
static int
scripted_exit(void)
{
	const char *codes = standin_switch("STANDIN_EXIT");
	char text[32] = "", *end;
	long done, code;

	if (codes == NULL)
		return KEEP_ON;
	standin_read(".standin_starts", text, sizeof text);
	done = strtol(text, NULL, 10);
	snprintf(text, sizeof text, "%ld\n", done + 1);
	standin_write(".standin_starts", text, strlen(text), 0644);
	for (;;) {
		code = strtol(codes, &end, 10);
		if (end == codes)
			return KEEP_ON;
		if (done-- == 0)
			return (int)code;
		codes = end;
	}
}

static int
misbehave(void)
{
	const char *huge = standin_switch("STANDIN_HUGE_LOG");
	long lines = huge == NULL ? 0 : strtol(huge, NULL, 10) * 16384;

	for (long i = 0; i < lines; i++)
		printf("%063ld\n", i);
	fflush(stdout);
	if (standin_switch("STANDIN_CRASH") != NULL)
		raise(SIGABRT);
	while (standin_switch("STANDIN_HANG") != NULL && !stopping)
		pause_ms(1000);
	return scripted_exit();
}

static void
catch_signals(void)
{
	struct sigaction action = { .sa_handler = on_signal };

	if (standin_switch("STANDIN_IGNORE_TERM") != NULL)
		action.sa_handler = SIG_IGN;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

int
standin_run(int argc, char **argv)
{
	static struct listener listener;
	const char *jit;
	int code;

	standin_load_env();
	jit = standin_arg(argc, argv, "jitconfig");
	catch_signals();
	if (jit != NULL && !unpack_jit(jit)) {
		fprintf(stderr, "An error occurred: the JIT configuration "
		    "is not valid\n");
		return TERMINATED;
	}
	if (!read_settings(&listener)) {
		fprintf(stderr, "Runner is not configured.\n");
		return TERMINATED;
	}
	printf("\n" CHECK "Connected to GitHub\n\nCurrent runner version: "
	    "'%s'\n", standin_version);
	fflush(stdout);
	code = misbehave();
	if (code == KEEP_ON)
		code = open_session(&listener);
	if (code == KEEP_ON) {
		standin_say("Listening for Jobs");
		code = listen_for_jobs(&listener);
		close_session(&listener);
	}
	if (stopping)
		puts("Exiting...");
	return code;
}
